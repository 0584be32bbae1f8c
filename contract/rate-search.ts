/** Of the first loss: what is drawn above it at least. */
const ROOM = 0.05;

/**
 * The highest loss that a plot of a learning-rate search shows: as much above the first one as the
 * least is below it. The explosion at its end would flatten all else.
 */
export function highestDrawn(losses: readonly number[]): number {
  const first = losses[0] ?? 1;
  const fall = first - Math.min(...losses, first);
  return Math.min(Math.max(...losses, first), first + Math.max(fall, ROOM * first));
}
