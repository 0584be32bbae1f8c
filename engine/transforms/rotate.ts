/**
 * Turns a square plane of pixels in place, counter-clockwise, as NumPy's `rot90(plane, turns)`.
 * @param plane [row, column]
 * @param turns quarter turns, 0 .. 3
 */
export function rotatePlane(plane: Float32Array, side: number, turns: number): void {
  const before = plane.slice();
  const last = side - 1;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [fromRow, fromColumn] = [
        [row, column],
        [column, last - row],
        [last - row, last - column],
        [last - column, row],
      ][turns] as [number, number];
      plane[row * side + column] = before[fromRow * side + fromColumn]!;
    }
  }
}
