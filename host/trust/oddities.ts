/** Images that are not like the rest. */
import type { OddImage, TrustReport, TrustSpec } from '../../contract/trust.ts';
import { quantile } from '../../engine/analysis/metrics.ts';
import type { TrustImage } from './images.ts';

const FAR = 3;
const LONGEST = 3;

/** What one side of an image says against the rest, or null. */
type Judge = (image: TrustImage) => string | null;

/**
 * Sides further than 3 interquartile ranges from the middle half of all (Tukey's outer fences), and
 * images over 3 times as long as they are wide, or wide as they are long.
 */
export function oddSizes(images: readonly TrustImage[]): OddImage[] {
  const judges = [judgeSide(images, 'width'), judgeSide(images, 'height'), judgeShape];
  return images.flatMap((image) => {
    const whys = judges.map((judge) => judge(image)).filter((why) => why !== null);
    return whys.length === 0 ? [] : [{ id: image.id, path: image.path, why: whys.join('; ') }];
  });
}

function judgeSide(images: readonly TrustImage[], side: 'width' | 'height'): Judge {
  if (images.length === 0) return () => null;
  const sorted = Float64Array.from(images, (image) => image[side]).sort();
  const [low, high] = [quantile(sorted, 0.25), quantile(sorted, 0.75)];
  const reach = FAR * (high - low);
  const half = low === high ? `${low}` : `${low} to ${high}`;
  return (image) =>
    image[side] < low - reach || image[side] > high + reach
      ? `${side} ${image[side]} where half of the images have ${half}`
      : null;
}

function judgeShape({ width, height }: TrustImage): string | null {
  return Math.max(width, height) > LONGEST * Math.min(width, height)
    ? `${width} x ${height}: over ${LONGEST}:1`
    : null;
}

/** Images whose luma does not vary as far as it was measured, and those where it hardly does. */
export function flatImages(
  images: readonly TrustImage[],
  { constantBelow }: Pick<TrustSpec, 'constantBelow'>,
): Pick<TrustReport, 'blank' | 'nearConstant'> {
  const flat = images
    .flatMap(({ id, path, deviation }) =>
      deviation !== null && deviation < constantBelow ? [{ id, path, deviation }] : [],
    )
    .sort((a, b) => a.deviation - b.deviation);
  const told = flat.map(({ id, path, deviation }) => ({
    ...{ id, path, blank: deviation === 0 },
    why: `deviation ${deviation.toFixed(4)}`,
  }));
  const ofKind = (wanted: boolean): OddImage[] =>
    told.filter(({ blank }) => blank === wanted).map(({ id, path, why }) => ({ id, path, why }));
  return { blank: ofKind(true), nearConstant: ofKind(false) };
}
