/** Red, green, blue (0 .. 255) of a colour written #rrggbb. */
export function rgbOf(colour: string): number[] {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}
