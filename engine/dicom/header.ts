/** What a file says about its pixels (PS3.3 C.7.6.3), checked. */
import type { DataSet } from 'dicom-parser';
import { MAX_PIXELS } from '../transforms/formats.ts';
import { countOf, decimalsOf, textOf } from './elements.ts';
import type { Parsed } from './parse.ts';
import { dicomError, isNative } from './parse.ts';

export interface Header {
  width: number;
  height: number;
  frames: number;
  /** Samples of a pixel: 1 or 3. */
  samples: 1 | 3;
  photometric: string;
  /** 1, 8, 16 or 32; 64 for doubles. */
  allocated: number;
  stored: number;
  highBit: number;
  signed: boolean;
  /** Samples are stored plane by plane. */
  planar: boolean;
  /** Real numbers, not integers. */
  real: boolean;
  pixelTag: string;
}

const INTEGERS = 'x7fe00010';
const REALS: Readonly<Record<string, number>> = { x7fe00008: 32, x7fe00009: 64 };
const GREY = ['MONOCHROME1', 'MONOCHROME2', 'PALETTE COLOR'];
const COLOUR = ['RGB', 'YBR_FULL', 'YBR_FULL_422', 'YBR_RCT', 'YBR_ICT'];

/** @throws bad-input: without pixels, or with pixels of a kind that is not read */
export function headerOf({ dataset, transferSyntax }: Parsed): Header {
  const pixelTag = [INTEGERS, ...Object.keys(REALS)].find((tag) => tag in dataset.elements);
  if (pixelTag === undefined) throw noPixels(dataset);
  const [width, height] = sidesOf(dataset);
  const real = pixelTag !== INTEGERS;
  const allocated = REALS[pixelTag] ?? countOf(dataset, 'x00280100') ?? 0;
  const stored = real ? allocated : (countOf(dataset, 'x00280101') ?? allocated);
  const header = {
    width,
    height,
    frames: Math.max(1, Math.trunc(decimalsOf(dataset, 'x00280008')[0] ?? 1)),
    ...samplesOf(dataset),
    allocated,
    stored,
    highBit: real ? allocated - 1 : (countOf(dataset, 'x00280102') ?? stored - 1),
    signed: countOf(dataset, 'x00280103') === 1,
    planar: countOf(dataset, 'x00280006') === 1,
    real,
    pixelTag,
  };
  checkBits(header);
  checkFrames(dataset, header, transferSyntax);
  return header;
}

function noPixels(dataset: DataSet): Error {
  const modality = textOf(dataset, 'x00080060');
  const directory = 'x00041220' in dataset.elements;
  if (directory) return dicomError('no pixels: a DICOMDIR, which lists other files');
  const what = modality === null ? '' : ` (modality ${modality})`;
  return dicomError(`no pixels: the DICOM file holds no image${what}`);
}

function sidesOf(dataset: DataSet): [number, number] {
  const height = countOf(dataset, 'x00280010') ?? 0;
  const width = countOf(dataset, 'x00280011') ?? 0;
  if (width === 0 || height === 0) {
    throw dicomError(`the DICOM file gives its image ${width} columns and ${height} rows`);
  }
  if (width * height > MAX_PIXELS) {
    throw dicomError(`${width} x ${height} is over the limit of ${MAX_PIXELS / 1e6} megapixels`);
  }
  return [width, height];
}

function samplesOf(dataset: DataSet): Pick<Header, 'samples' | 'photometric'> {
  const samples = countOf(dataset, 'x00280002') ?? 1;
  const photometric = textOf(dataset, 'x00280004') ?? (samples === 1 ? 'MONOCHROME2' : 'RGB');
  const known = samples === 1 ? GREY : samples === 3 ? COLOUR : [];
  if (!known.includes(photometric)) {
    throw dicomError(`pixels of ${samples} samples in ${photometric} are not read`);
  }
  return { samples: samples === 3 ? 3 : 1, photometric };
}

function checkBits({ allocated, stored, highBit, samples, real }: Header): void {
  const known = real || [8, 16, 32].includes(allocated) || (allocated === 1 && samples === 1);
  if (known && stored >= 1 && stored <= highBit + 1 && highBit < allocated) return;
  throw dicomError(`pixels of ${stored} bits in ${allocated} (high bit ${highBit}) are not read`);
}

/** Bits of one frame as it is stored without compression. */
export function frameBits(header: Header): number {
  const { width, height, samples, allocated, photometric } = header;
  // Two pixels share their two colour samples.
  if (photometric === 'YBR_FULL_422') return 2 * Math.ceil(width / 2) * 2 * height * allocated;
  return width * height * samples * allocated;
}

/** Refuses more frames than the file can hold, so that no number in it is believed unseen. */
function checkFrames(dataset: DataSet, header: Header, transferSyntax: string): void {
  const element = dataset.elements[header.pixelTag];
  if (element === undefined) return;
  const native = isNative(transferSyntax) && element.fragments === undefined;
  const bytes = Math.min(element.length, dataset.byteArray.length - element.dataOffset);
  const held = native
    ? Math.floor((8 * bytes) / frameBits(header))
    : (element.fragments?.filter(({ length }) => length > 0).length ?? 0);
  if (held >= header.frames) return;
  if (native && header.frames === 1) {
    const wanted = Math.ceil(frameBits(header) / 8);
    throw dicomError(`the pixels are cut off: ${bytes} of ${wanted} bytes are there`);
  }
  throw dicomError(`the file says it has ${header.frames} frames, and holds data for ${held}`);
}
