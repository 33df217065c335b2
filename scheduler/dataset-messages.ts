/**
 * Owns the messages about published data sets: named values that clients leave for one another. Must not
 * know: how they are kept.
 */
import { array, as, bytes, count, maybe, object, type TaskKey, text } from '../runtime/index.ts';

const keys = array(as<TaskKey>(text));
/** A value in which futures stand as references into `keys`, encoded by the codec. */
export const datasetValue = object({ keys, shape: bytes });

export const datasetRequests = {
  /** Each is answered by one `dataset-answer` with the same number. */
  publish: { request: count, name: text, value: datasetValue },
  unpublish: { request: count, name: text },
  /** The client wants the results from then on, as though it had submitted them. */
  'get-dataset': { request: count, name: text },
  'list-datasets': { request: count },
};

export const datasetAnswers = {
  'dataset-answer': {
    request: count,
    /** Why it could not be done: a code of docs/errors.md, and its message. */
    problem: maybe(object({ code: text, message: text })),
    value: maybe(datasetValue),
    names: maybe(array(text)),
  },
};
