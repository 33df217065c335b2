/**
 * Owns how a graph gets to the scheduler: the encoding and digest that make its keys, and its division into
 * messages that hold up neither side. Must not know: what becomes of the tasks.
 */
import { createHash } from 'node:crypto';
import { AsperitasError, encodePacked, type TaskKey } from '../runtime/index.ts';
import type { ClientConnection } from './client-connection.ts';
import type { CollectedGraph, GraphTools } from './graph.ts';
import { clientLimits } from './limits.ts';
import type { TaskSpec, ToScheduler } from './protocol.ts';

/** 132 bits of a key's digest, so that equal keys mean equal tasks. */
const digestCharacters = 22;

/** Lengths go into the digest too, so that no two lists of parts read the same. */
function digest(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('base64url').slice(0, digestCharacters);
}

export const graphTools: GraphTools = { encode: encodePacked, digest };

function tooLarge(key: TaskKey, bytes: number): AsperitasError {
  const limit = clientLimits.argumentBytes;
  const message =
    `the arguments of ${key} have ${bytes} bytes, which would go through the scheduler: at most ${limit} ` +
    'may; let a task read or make them where they are needed';
  return new AsperitasError('argument-too-large', message, { task: key, bytes, limit });
}

/** The tasks in their order, cut where a message would become too long; at least one piece.
 * @throws AsperitasError `argument-too-large` */
export function* piecesOf(tasks: readonly TaskSpec[]): Generator<readonly TaskSpec[]> {
  let start = 0;
  let bytes = 0;
  for (let index = 0; index < tasks.length; index++) {
    const { key, args } = tasks[index]!;
    const size = args.byteLength;
    if (size > clientLimits.argumentBytes) throw tooLarge(key, size);
    const full = index - start >= clientLimits.submitTasks || bytes + size > clientLimits.submitBytes;
    if (full && index > start) {
      yield tasks.slice(start, index);
      start = index;
      bytes = 0;
    }
    bytes += size;
  }
  yield tasks.slice(start);
}

/** The keys of results that the graph takes from earlier submissions. */
export function earlierInputs({ tasks }: CollectedGraph): TaskKey[] {
  const own = new Set(tasks.map(({ key }) => key));
  return [...new Set(tasks.flatMap(({ inputs }) => inputs.filter((key) => !own.has(key))))];
}

/** Sends the graph, the wants with its last piece. Must not run twice at once on a connection. Rejects with
 * the signal's reason; what was sent by then is forgotten by the scheduler. Begins anew with a scheduler that
 * knows nothing of this client. */
export async function submitGraph(
  connection: ClientConnection,
  graph: CollectedGraph & { readonly serial: number },
  signal: AbortSignal,
): Promise<void> {
  const { tasks, wants, serial } = graph;
  const send = (message: ToScheduler): void => connection.send(message);
  let waiting: readonly TaskSpec[] | undefined;
  const { life } = connection;
  try {
    for (const piece of piecesOf(tasks)) {
      signal.throwIfAborted();
      if (waiting !== undefined) {
        send({ type: 'submit', tasks: waiting, wants: [], more: true });
        // The connection writes at the end of the turn; only then does it know what is queued.
        await new Promise(setImmediate);
        await connection.drained(signal);
        if (connection.life !== life) return await submitGraph(connection, graph, signal);
      }
      waiting = piece;
    }
    let last = waiting ?? [];
    let start = 0;
    // What is wanted comes in pieces as well, after all that it is made from.
    for (; wants.length - start > clientLimits.submitTasks; start += clientLimits.submitTasks) {
      signal.throwIfAborted();
      const some = wants.slice(start, start + clientLimits.submitTasks);
      send({ type: 'submit', tasks: last, wants: some, serial, more: true });
      await new Promise(setImmediate);
      await connection.drained(signal);
      last = [];
    }
    signal.throwIfAborted();
    send({ type: 'submit', tasks: last, wants: wants.slice(start), serial });
  } catch (error) {
    // Ends the submission, so that nothing waits for users that will not come.
    send({ type: 'submit', tasks: [], wants: [] });
    throw error;
  }
}
