/** Values per pixel of what a network sees: grey (luma) or RGB. */
export type Channels = 1 | 3;

/** Red, green, blue (0 .. 255) of a colour written #rrggbb. */
export function rgbOf(colour: string): number[] {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

/** Luma of one pixel as PIL's mode L: ITU-R 601-2 in 16-bit fixed point, rounded. */
export function lumaOf(red: number, green: number, blue: number): number {
  return (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;
}

/** The luma of every pixel of an interleaved RGB image. */
export function toGrey(rgb: Uint8Array): Uint8Array {
  const grey = new Uint8Array(rgb.length / 3);
  for (let i = 0, from = 0; i < grey.length; i++, from += 3) {
    grey[i] = lumaOf(rgb[from]!, rgb[from + 1]!, rgb[from + 2]!);
  }
  return grey;
}

/** A colour written #rrggbb in an image of 1 (luma) or 3 channels. */
export function colourIn(colour: string, channels: Channels): number[] {
  const rgb = rgbOf(colour);
  return channels === 1 ? [lumaOf(...(rgb as [number, number, number]))] : rgb;
}
