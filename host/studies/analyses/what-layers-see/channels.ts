/** The strongest channels of the layer: what excites them, and what is sent back from there. */
import { rankCorrelation } from '../../../../engine/analysis/rank-correlation.ts';
import {
  buildAnswer,
  buildDeconvnet,
  buildMap,
  mapsOf,
} from '../../../../engine/analysis/visual/graphs.ts';
import { MAXIMISE, maximise, oneHot } from '../../../../engine/analysis/visual/maximise.ts';
import {
  boundsOf,
  imagePicture,
  signalPicture,
} from '../../../../engine/analysis/visual/pictures.ts';
import { VisualSession } from '../../../../engine/analysis/visual/session.ts';
import type { Peak } from '../../../../engine/analysis/visual/strongest.ts';
import { StrongestImages } from '../../../../engine/analysis/visual/strongest.ts';
import type { Batch } from '../../../../engine/runtime/batch.ts';
import type { Lab } from '../lab.ts';
import { drawn } from './drawing.ts';
import type { SeeJob, SeenChannel, Side } from './measured.ts';
import type { Role } from './networks.ts';
import { imagesAt, optionsFor, weightsOf } from './networks.ts';

/** Images that are shown of a channel. */
const TOP = 3;
const SEED = 0;

/** What the network sees in the images given. */
export interface Searched {
  batches: readonly Batch[];
  /** Of each image, its position among the training images. */
  rows: readonly number[];
}

interface Found {
  channel: number;
  peaks: readonly Peak[];
}

export async function seeChannels(
  job: SeeJob,
  lab: Lab,
  side: Side,
  searched: Searched,
): Promise<SeenChannel[]> {
  const found = await strongest(job, lab, side, searched.batches);
  const signals = await sentBack(job, lab, side, searched.batches, found);
  const made = await maximised(job, lab, side, found);
  return found.map(({ channel, peaks }, nth) => ({
    channel,
    maximised: made.files[nth]!,
    answer: made.answers[nth]!,
    images: peaks.map(({ image, value }, rank) => ({
      row: searched.rows[image]!,
      value,
      ...signals[nth * TOP + rank]!,
    })),
  }));
}

/** The strongest channels, each with its strongest images; channels that are never active are none. */
async function strongest(
  job: SeeJob,
  lab: Lab,
  side: Side,
  batches: readonly Batch[],
): Promise<Found[]> {
  const options = optionsFor(lab, job);
  const [, channels = 0] = mapsOf(options).get(job.layer) ?? [];
  const images = new StrongestImages(channels, TOP);
  const session = await VisualSession.create(buildMap(options, job.layer));
  try {
    const placed = await session.place(await weightsOf(lab, job, side, 'result'));
    for (const [at, batch] of batches.entries()) {
      lab.tell(`strongest images (${side})`, at, batches.length, 'batches');
      const outputs = await session.run(placed, { images: batch.images }, batch.size);
      images.add(outputs.get('map')!, batch.size);
    }
  } finally {
    await session.close();
  }
  return images
    .channels(job.channels)
    .map((channel) => ({ channel, peaks: images.ofChannel(channel) }))
    .filter(({ peaks }) => peaks.length === TOP && peaks[0]!.value > 0);
}

interface FoundPeak extends Peak {
  channel: number;
}

/** The deconvnet's signal of every peak, with the network's weights and with drawn ones. */
async function sentBack(
  job: SeeJob,
  lab: Lab,
  side: Side,
  batches: readonly Batch[],
  found: readonly Found[],
) {
  const { image: size, channels } = optionsFor(lab, job).architecture;
  const peaks = found.flatMap(({ channel, peaks: own }) =>
    own.map((peak): FoundPeak => ({ channel, ...peak })),
  );
  const signals = await signalsOf(job, lab, side, batches, peaks);
  const width = channels * size * size;
  return inTurn(peaks, async ({ channel, image }, at) => {
    const part = (all: Float32Array) => all.subarray(at * width, (at + 1) * width);
    const [result, redrawn] = [part(signals.result), part(signals.redrawn)];
    const name = `signal-${side}-${channel}-${image}`;
    return {
      correlation: rankCorrelation(strengths(result, channels), strengths(redrawn, channels)),
      signal: {
        result: await drawn(lab, name, signalPicture(result, size, channels)),
        redrawn: await drawn(lab, `${name}-redrawn`, signalPicture(redrawn, size, channels)),
      },
    };
  });
}

async function signalsOf(
  job: SeeJob,
  lab: Lab,
  side: Side,
  batches: readonly Batch[],
  peaks: readonly FoundPeak[],
) {
  const options = optionsFor(lab, job);
  const [, depth = 0, rows = 0, columns = 0] = mapsOf(options).get(job.layer) ?? [];
  const starts = peaks.map(({ channel, position }) => channel * rows * columns + position);
  const images = peaks.map(({ image }) => image);
  const given = {
    images: imagesAt(batches, images),
    start: oneHot(starts, depth * rows * columns),
  };
  const session = await VisualSession.create(buildDeconvnet(options, job.layer));
  const run = async (role: Role): Promise<Float32Array> => {
    const placed = await session.place(await weightsOf(lab, job, side, role));
    return (await session.run(placed, given, peaks.length)).get('signal')!;
  };
  try {
    return { result: await run('result'), redrawn: await run('redrawn') };
  } finally {
    await session.close();
  }
}

/** Where a signal is, whatever its sign: its largest magnitude in each pixel. */
function strengths(signal: Float32Array, channels: number): Float32Array {
  const plane = signal.length / channels;
  return Float32Array.from({ length: plane }, (_, at) => {
    let most = 0;
    for (let c = 0; c < channels; c++) most = Math.max(most, Math.abs(signal[c * plane + at]!));
    return most;
  });
}

/** Images made for the channels, by the network's weights and by drawn ones. */
async function maximised(job: SeeJob, lab: Lab, side: Side, found: readonly Found[]) {
  if (found.length === 0) return { files: [], answers: [] };
  const { recipe } = lab.job(job.networks[side].result.run);
  const options = optionsFor(lab, job, found.length);
  const { image: size, channels } = options.architecture;
  const graph = buildAnswer(options, job.layer);
  const asked = found.map(({ channel }) => channel);
  const width = channels * size * size;
  const make = async (role: Role) => {
    lab.tell(`images for channels (${side})`, role === 'result' ? 0 : 1, 2, 'networks');
    const weights = await weightsOf(lab, job, side, role);
    const settings = { ...MAXIMISE, seed: SEED, bounds: boundsOf(recipe, channels) };
    const made = await maximise(graph, weights, asked, { channels, side: size }, settings);
    const files = await inTurn(asked, (channel, at) => {
      const pixels = made.images.subarray(at * width, (at + 1) * width);
      const picture = imagePicture(pixels, size, channels, recipe);
      return drawn(lab, `maximised-${side}-${channel}-${role}`, picture);
    });
    return { files, answers: [...made.answers] };
  };
  const [result, redrawn] = [await make('result'), await make('redrawn')];
  return {
    files: result.files.map((file, at) => ({ result: file, redrawn: redrawn.files[at]! })),
    answers: result.answers,
  };
}

async function inTurn<T, R>(
  items: readonly T[],
  make: (item: T, at: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (const [at, item] of items.entries()) results.push(await make(item, at));
  return results;
}
