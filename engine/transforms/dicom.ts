/** DICOM as decode.ts wants it. The codecs are large and loaded with the first DICOM file only. */
import { CarryoverError } from '../../contract/errors.ts';
import type { Recipe } from '../../contract/study.ts';
import type { Bitmap } from './bmp.ts';
import type { ExactImage } from './decode.ts';
import { imageError } from './formats.ts';
import type { Place } from './place.ts';

export type Window = Recipe['window'];

const load = () => import('../dicom/index.ts');

/** First bytes of a data set without preamble: group 2 or 8, in either byte order. */
const BARE_STARTS = ['\x02\0', '\x08\0', '\0\x02', '\0\x08'];

/** Whether bytes are a DICOM data set without preamble. */
export async function isBareDicom(bytes: Buffer): Promise<boolean> {
  if (!BARE_STARTS.includes(bytes.toString('latin1', 0, 2))) return false;
  return (await load()).isDicom(bytes);
}

/** Sides and number of frames. Throws bad-input naming the place. */
export async function dicomSides(
  bytes: Buffer,
  place: Place,
): Promise<{ width: number; height: number; pages: number }> {
  const { readDicom } = await load();
  return named(place, async () => {
    const { width, height, frames } = readDicom(bytes);
    return { width, height, pages: frames };
  });
}

/** The place's frame (the first where it names none) in 8 bits. Throws bad-input naming the place. */
export async function dicomBitmap(bytes: Buffer, place: Place, window: Window): Promise<Bitmap> {
  const { dicomFrame } = await load();
  return named(place, () => dicomFrame(bytes, place.frame ?? 0, window));
}

/**
 * The values of the place's frame after its rescaling, as 16 bits: whole numbers that fit are moved
 * so that the least is 0, others are spread over 0 .. 65535. `lost` says how.
 * @throws bad-input naming the place
 */
export async function dicomExact(bytes: Buffer, place: Place): Promise<ExactImage> {
  const { dicomValues } = await load();
  const image = await named(place, () => dicomValues(bytes, place.frame ?? 0));
  let least = Infinity;
  let most = -Infinity;
  let whole = true;
  for (const value of image.data) {
    least = Math.min(least, value);
    most = Math.max(most, value);
    whole &&= Number.isInteger(value);
  }
  const moved = whole && most - least <= 65535;
  const step = moved ? 1 : (most - least) / 65535;
  const from = moved ? Math.min(0, least) : least;
  const data = Uint16Array.from(image.data, (value) => Math.round((value - from) / step));
  const lost = [];
  if (!moved) lost.push(`exact values (n stands for ${from} + n * ${step})`);
  else if (from !== 0) lost.push(`zero (values are raised by ${-from})`);
  return { ...image, data, lost };
}

/** The DICOM reader knows bytes only; its failures get the name of the place here. */
async function named<T>(place: Place, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof CarryoverError ? imageError(place, error.message, error) : error;
  }
}
