import sharp from 'sharp';

/** One picture of a sample set, ready to be stored. */
export interface Picture {
  domain: string;
  label: string;
  /** File name without folder and extension: lower-case letters, digits, `-` and `_`. */
  name: string;
  png: Uint8Array;
  /** Pictures of one group stay in one split. */
  group: string;
  /** SPDX identifier. */
  licence: string;
  attribution: string;
  /** package@version and the picture's name in it. */
  source: string;
  /** Further columns of the set's table: findings, attributes. */
  columns?: Readonly<Record<string, string>>;
}

/** Square RGB pixels, row by row, 3 bytes each, on white. */
export interface Raster {
  size: number;
  rgb: Uint8Array;
}

/** A body in the IconifyJSON format with the box that it is drawn in. */
export interface IconBody {
  body: string;
  left: number;
  top: number;
  width: number;
  height: number;
}

/** An SVG file of `size` x `size` pixels; `currentColor` is black, the drawing is fitted in and centred. */
export function iconSvg({ body, left, top, width, height }: IconBody, size: number): string {
  return (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"' +
    ` viewBox="${left} ${top} ${width} ${height}" width="${size}" height="${size}">` +
    `${body.replaceAll('currentColor', '#000')}</svg>`
  );
}

/** Decodes an image file, fits it into `size` x `size` and lays it on white. */
export async function rasterise(file: string | Uint8Array, size: number): Promise<Raster> {
  const input = typeof file === 'string' ? Buffer.from(file) : file;
  const { data, info } = await sharp(input)
    .resize(size, size, { fit: 'contain', background: { r: 0, g: 0, b: 0, alpha: 0 } })
    .toColourspace('srgb')
    .flatten({ background: '#fff' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { size, rgb: info.channels === 3 ? data : greyToRgb(data) };
}

function greyToRgb(grey: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: grey.length * 3 }, (_, i) => grey[Math.floor(i / 3)] ?? 0);
}

/** The raster as a PNG file; the same pixels give the same bytes. */
export async function encodePng({ size, rgb }: Raster): Promise<Uint8Array> {
  return sharp(rgb, { raw: { width: size, height: size, channels: 3 } })
    .png()
    .toBuffer();
}

/**
 * `work` on every item, `lanes` at a time, results in the items' order. After a throw or an abort
 * no item is begun, and the throw is passed on when all lanes rest: nothing is then still writing.
 */
export async function mapInLanes<In, Out>(
  items: readonly In[],
  { lanes, signal }: { lanes: number; signal: AbortSignal },
  work: (item: In) => Promise<Out>,
): Promise<Out[]> {
  const results: Out[] = [];
  const queue = items.entries();
  let failed = false;
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failed) return;
      signal.throwIfAborted();
      results[index] = await work(item);
    }
  };
  const watched = () =>
    lane().catch((error: unknown) => {
      failed = true;
      throw error;
    });
  const ends = await Promise.allSettled(Array.from({ length: lanes }, watched));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return results;
}
