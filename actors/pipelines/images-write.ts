/**
 * Owns the files of `asperitas image`: their names, which are WSClean's, and their descriptions. Must not
 * know: how images are made.
 */
import { AsperitasError } from '../../runtime/index.ts';
import type { ImagingSpec, WeightedImage } from '../imaging/frame-imager.ts';
import type { Weighting } from '../imaging/kernels/weighting.ts';
import { secondsPerDay } from '../io/calendar.ts';
import type { ImageDescription } from '../io/fits/image-description.ts';
import { writeFitsImage } from '../io/fits/write-image.ts';
import type { Field } from '../io/measurement-set/fields.ts';
import type { Direction } from '../visibility.ts';
import type { MadeImage } from './images-make.ts';
import type { ImagesPlan, OutputChannel, OutputInterval } from './images-plan.ts';
import type { ImagesOutcome, ImagesRun } from './images-request.ts';

/** What the headers say of the set. */
export interface ImagedSet {
  readonly field: Field;
  readonly phaseCentre: Direction;
  readonly telescope: string;
  readonly observer: string;
  readonly dataColumn: string;
}

/** The image of a channel, or of all: the mean over frequencies. */
type Channel = OutputChannel | undefined;
type Kind = 'dirty' | 'psf';

const fourDigits = (index: number) => String(index).padStart(4, '0');

/** `PREFIX-t0003-0002-dirty.fits`: interval and channel stand there if there are several. */
function imageName(
  prefix: string,
  plan: ImagesPlan,
  { interval, channel, kind }: { interval: OutputInterval; channel: Channel; kind: Kind },
): string {
  const time = plan.intervals.length > 1 ? `-t${fourDigits(interval.index)}` : '';
  const part = channel === undefined ? '-MFS' : `-${fourDigits(channel.index)}`;
  return `${prefix}${time}${plan.channels.length > 1 ? part : ''}-${kind}.fits`;
}

/** As WSClean writes it. */
function weightingText(weighting: Weighting): string {
  return weighting.kind === 'briggs' ? `Briggs'(${weighting.robust})` : weighting.kind;
}

interface EmptyImage {
  readonly interval: OutputInterval;
  readonly channel: Channel;
  readonly made: MadeImage;
}

/** Writes images as they come. Those without data wait until it is known that there are others. */
export class ImageWriter {
  readonly #run: ImagesRun;
  readonly #plan: ImagesPlan;
  readonly #described: ImagedSet;
  readonly #spec: ImagingSpec;
  readonly #written = new Set<string>();
  readonly #empty: EmptyImage[] = [];

  constructor(run: ImagesRun, plan: ImagesPlan, described: ImagedSet, spec: ImagingSpec) {
    this.#run = run;
    this.#plan = plan;
    this.#described = described;
    this.#spec = spec;
  }

  /** Writes the image of an interval and channel, or of all channels. */
  async write(interval: OutputInterval, channel: Channel, made: MadeImage): Promise<void> {
    if (!(made.dirty.sumWeight > 0)) {
      // The pixels are not kept: they are all alike.
      this.#empty.push({ interval, channel, made: { ...made, dirty: noImage, psf: undefined } });
      return;
    }
    const { beam, psf, dirty } = made;
    const description = {
      ...this.#describe(interval, channel, made),
      ...(beam === undefined ? {} : { beam }),
    };
    if (psf !== undefined) await this.#writeOne({ interval, channel, kind: 'psf' }, description, psf.pixels);
    await this.#writeOne({ interval, channel, kind: 'dirty' }, description, dirty.pixels);
  }

  /** Writes what waited. Throws `no-usable-data` if there was no image with data. */
  async finish(): Promise<ImagesOutcome> {
    if (this.#written.size === 0) throw this.#nothingToImage();
    const { npixX, npixY } = this.#spec.geometry;
    const pixels = this.#empty.length > 0 ? new Float32Array(npixX * npixY).fill(Number.NaN) : undefined;
    const empty: string[] = [];
    for (const { interval, channel, made } of this.#empty) {
      const description = this.#describe(interval, channel, made);
      for (const kind of this.#run.request.makePsf ? (['psf', 'dirty'] as const) : (['dirty'] as const)) {
        await this.#writeOne({ interval, channel, kind }, description, pixels!);
      }
      empty.push(imageName(this.#run.prefix, this.#plan, { interval, channel, kind: 'dirty' }));
    }
    return { files: this.#namesInOrder(), empty };
  }

  async #writeOne(
    which: { interval: OutputInterval; channel: Channel; kind: Kind },
    description: ImageDescription,
    pixels: Float32Array,
  ): Promise<void> {
    const path = imageName(this.#run.prefix, this.#plan, which);
    await writeFitsImage(path, { description, pixels }, { signal: this.#run.signal });
    this.#written.add(path);
  }

  #namesInOrder(): string[] {
    const { intervals, channels } = this.#plan;
    const all: Channel[] = channels.length > 1 ? [...channels, undefined] : [...channels];
    const names = intervals.flatMap((interval) =>
      all.flatMap((channel) =>
        (['psf', 'dirty'] as const).map((kind) =>
          imageName(this.#run.prefix, this.#plan, { interval, channel, kind }),
        ),
      ),
    );
    return names.filter((name) => this.#written.has(name));
  }

  #describe(interval: OutputInterval, channel: Channel, { dirty, samples }: MadeImage): ImageDescription {
    const { channels } = this.#plan;
    const { field, phaseCentre, telescope, observer, dataColumn } = this.#described;
    const { request, history } = this.#run;
    const [first, last] = [channel ?? channels[0]!, channel ?? channels.at(-1)!];
    return {
      geometry: this.#spec.geometry,
      phaseCentre,
      unit: 'Jy/beam',
      stokes: request.stokes,
      freqHz: (first.lowHz + last.highHz) / 2,
      bandwidthHz: last.highHz - first.lowHz,
      startMjd: interval.startS / secondsPerDay,
      durationS: interval.durationS,
      telescope,
      observer,
      object: field.name,
      origin: {
        dataColumn,
        fieldId: field.id,
        weighting: weightingText(request.weighting),
        sumOfWeights: dirty.sumWeight,
        samples,
        slots: interval.slots,
        ...(channel === undefined || channels.length === 1 ? {} : { channels: channel.range }),
      },
      history: [history],
    };
  }

  /** Why there is no image: flags, or pixels so large that no sample lies on the grid of the weights. */
  #nothingToImage(): AsperitasError {
    const { field, dataColumn } = this.#described;
    const { path, request } = this.#run;
    const where = `${path}: field ${field.id} "${field.name}"`;
    const fields = { set: path, field: field.id };
    if (this.#empty.some(({ made }) => made.samples > 0)) {
      const { kind } = request.weighting;
      const message = `${where}: no sample lies on the grid of ${kind} weights; make --scale smaller`;
      return new AsperitasError('no-usable-data', message, fields);
    }
    const part =
      request.interval !== undefined || request.channelRange !== undefined || request.spws !== undefined;
    const message =
      `${where}: every sample of ${dataColumn} ${part ? 'in the part asked for ' : ''}is flagged; ` +
      'asperitas info --flags counts the flags';
    return new AsperitasError('no-usable-data', message, fields);
  }
}

const noImage: WeightedImage = { pixels: new Float32Array(0), sumWeight: 0 };
