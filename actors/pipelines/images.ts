/**
 * Owns a run of `asperitas image`: opens the set, makes image after image, writes each as it is made. Must
 * not know: the command line, how images are made.
 */
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AsperitasError } from '../../runtime/index.ts';
import type { ImagingSpec } from '../imaging/frame-imager.ts';
import { resolveDataColumn } from '../io/measurement-set/columns.ts';
import type { Field } from '../io/measurement-set/fields.ts';
import { type MeasurementSet, openMeasurementSet } from '../io/measurement-set/measurement-set.ts';
import { writeFailure } from '../io/write-atomically.ts';
import type { StokesVisibilities } from '../visibility.ts';
import { densityOf, FrequencyMean, makeImage } from './images-make.ts';
import {
  type ImagedField,
  type ImagesPlan,
  type OutputChannel,
  type OutputInterval,
  planImages,
  planPasses,
  type ReadingPass,
} from './images-plan.ts';
import { PassReader, type ReadingOptions } from './images-read.ts';
import type { ImagesOutcome, ImagesRequest, ImagesRun } from './images-request.ts';
import { type ImagedSet, ImageWriter } from './images-write.ts';
import { limits } from './limits.ts';

export interface ImagesHooks {
  /** What is being done, a line. */
  readonly onStage?: (stage: string) => void;
}

/** The field asked for, or the only one that was observed. */
async function chosenField(set: MeasurementSet, wanted: number | string | undefined): Promise<Field> {
  if (wanted !== undefined) return set.field(wanted);
  const ids = await set.observedFieldIds();
  if (ids.length <= 1) return set.field(ids[0] ?? 0);
  throw new AsperitasError(
    'usage',
    `--field is missing: ${set.path} holds fields ${[...ids].sort((a, b) => a - b).join(', ')}`,
    { option: 'field' },
  );
}

async function lookAt(set: MeasurementSet, field: Field): Promise<ImagedField> {
  const slots = await set.timeSlots(field.id);
  const bands = await set.bands(field.id);
  if (slots.some(({ rows }) => [...rows.values()].some((count) => count > 0))) return { slots, bands };
  throw new AsperitasError(
    'no-usable-data',
    `${set.path}: field ${field.id} "${field.name}" has no rows of two antennas; asperitas info lists ` +
      'the rows of each field',
    { set: set.path, field: field.id },
  );
}

/** What the headers say of a set. Finds out, before anything is imaged, whether it can be. */
async function describe(set: MeasurementSet, field: Field, run: ImagesRun, plan: ImagesPlan) {
  const { stokes, dataColumn } = run.request;
  const fieldId = field.id;
  const ids = new Set(plan.channels.flatMap(({ runs }) => runs.map((part) => part.dataDescriptionId)));
  const [dataDescriptionId] = ids;
  const all = [0, plan.intervals.at(-1)!.slots[1]] as const;
  const [row = 0] = await set.rowRuns({ fieldId, dataDescriptionId: dataDescriptionId!, slots: all });
  const column = await resolveDataColumn(set.table, dataColumn, row);
  let described: ImagedSet | undefined;
  const { telescope, observer } = await set.observation();
  for (const id of ids) {
    const nothing = { fieldId, dataDescriptionId: id, slots: [0, 0], channels: [0, 1] } as const;
    const { phaseCentre } = await set.readChunk({ ...nothing, stokes, dataColumn: column });
    described ??= { field, phaseCentre, telescope, observer, dataColumn: column };
  }
  return described!;
}

/** Says at once if the files could not be written: imaging may take hours. */
async function checkFolder(prefix: string): Promise<void> {
  const path = `${prefix}-dirty.fits`;
  await access(dirname(path), constants.W_OK).catch((error: unknown) => {
    throw writeFailure(path, error);
  });
}

/** One run, taken apart. */
class Imaging {
  readonly #set: MeasurementSet;
  readonly #spec: ImagingSpec;
  readonly #request: ImagesRequest;
  readonly #reading: ReadingOptions;
  readonly #writer: ImageWriter;
  readonly #stage: (stage: string) => void;

  constructor(
    given: { readonly set: MeasurementSet; readonly run: ImagesRun; readonly described: ImagedSet },
    spec: ImagingSpec,
    writer: ImageWriter,
    stage: (stage: string) => void,
  ) {
    const { request, signal } = given.run;
    const { field, dataColumn } = given.described;
    this.#set = given.set;
    this.#spec = spec;
    this.#request = request;
    this.#reading = { fieldId: field.id, stokes: request.stokes, dataColumn, signal };
    this.#writer = writer;
    this.#stage = stage;
  }

  /** Makes and writes the images of an interval. */
  async interval(interval: OutputInterval, plan: ImagesPlan, passes: readonly ReadingPass[]): Promise<void> {
    const { mfWeighting, makePsf } = this.#request;
    this.#stage(mfWeighting ? 'counting weights' : 'reading');
    const whole = mfWeighting ? await densityOf(this.#spec, () => this.#everything(passes)) : undefined;
    const mean = plan.channels.length > 1 ? new FrequencyMean(this.#spec) : undefined;
    for (const pass of passes) {
      const reader = new PassReader(this.#set, this.#reading, pass);
      for (const channel of pass.channels) {
        this.#reading.signal.throwIfAborted();
        this.#stage(stageOf(plan, interval, channel));
        const frames = () => reader.frames(channel);
        const density = whole ?? (await densityOf(this.#spec, frames));
        const made = await makeImage(this.#spec, frames, { density, makePsf });
        mean?.add(made);
        await this.#writer.write(interval, channel, made);
      }
    }
    if (mean !== undefined) await this.#writer.write(interval, undefined, mean.result());
  }

  /** The visibilities of all channels of an interval. */
  async *#everything(passes: readonly ReadingPass[]): AsyncGenerator<StokesVisibilities> {
    for (const pass of passes) {
      const reader = new PassReader(this.#set, this.#reading, pass);
      for (const channel of pass.channels) yield* reader.frames(channel);
    }
  }
}

function stageOf(plan: ImagesPlan, interval: OutputInterval, channel: OutputChannel): string {
  const { length: channels } = plan.channels;
  const total = plan.intervals.length * channels;
  return `image ${interval.index * channels + channel.index + 1} of ${total}`;
}

/**
 * Makes all images that a request asks for and writes them. Throws `no-such-file`, `no-such-field`,
 * `bad-option`, `no-usable-data` (every sample is flagged), `image-too-large`, `cannot-write`, `disk-full`,
 * `aborted`, and what reading the set throws; files that are written by then stay, each whole.
 */
export async function runImages(run: ImagesRun, hooks: ImagesHooks = {}): Promise<ImagesOutcome> {
  const { request, prefix, signal, blockBytes = limits.imageBlockBytes } = run;
  await checkFolder(prefix);
  const set = await openMeasurementSet(run.path);
  try {
    const field = await chosenField(set, request.field);
    const seen = await lookAt(set, field);
    const plan = planImages(seen, request);
    const described = await describe(set, field, run, plan);
    const { npixX, npixY, pixsize, weighting, epsilon } = request;
    const geometry = { npixX, npixY, pixsizeX: pixsize, pixsizeY: pixsize };
    const spec = { geometry, weighting, epsilon };
    const writer = new ImageWriter(run, plan, described, spec);
    const imaging = new Imaging({ set, run, described }, spec, writer, hooks.onStage ?? (() => undefined));
    for (const interval of plan.intervals) {
      signal.throwIfAborted();
      const passes = planPasses(seen.slots, interval, plan.channels, blockBytes);
      await imaging.interval(interval, plan, passes);
    }
    return await writer.finish();
  } finally {
    await set.close();
  }
}
