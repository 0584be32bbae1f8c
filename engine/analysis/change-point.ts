/** From where on a curve no longer rises. */
import { CarryoverError } from '../../contract/errors.ts';
import { studentCritical } from './distributions.ts';

/** One curve of each unit (seed) at the same places. */
export interface Curves {
  /** Ascending: places that the plateau may begin at, and between. */
  x: readonly number[];
  /** [unit][place] */
  y: readonly (readonly number[])[];
}

export interface Plateau {
  /** Where the plateau begins; null where the curve does not rise towards it. */
  from: number | null;
  /** 95 %; an end at an end of the curve means that the data set no limit there. */
  interval: [number, number] | null;
  /** What is gained per unit of x before it, and whether that is above 0 beyond chance (95 %). */
  slope: number;
  rises: boolean;
}

/** Places that are tried from one to the next. */
const STEPS = 100;

/**
 * Where a curve reaches its plateau: least squares of y = a_unit - slope max(0, from - x), each unit
 * with a level of its own (two-phase regression with a second phase of slope 0; Seber and Wild 1989,
 * "Nonlinear regression", section 9.3). The interval is that of all places whose residual sum of
 * squares is within S (1 + t^2 / df) of the least S (ibid., section 5.2: profile likelihood; t:
 * 0.975 quantile with df = observations - units - 2). Between neighbouring places 100 are tried.
 * @throws bad-input with fewer than three places, or too few values for df >= 1
 */
export function plateau({ x, y }: Curves): Plateau {
  const df = y.length * x.length - y.length - 2;
  if (x.length < 3 || df < 1) {
    throw new CarryoverError('bad-input', `${x.length} places are too few for a change point`, {
      value: String(x.length),
      wayOut: 'measure at three places or more',
    });
  }
  const centred = y.map(withoutMean);
  const total = centred.flat().reduce((sum, value) => sum + value * value, 0);
  const tried = x.flatMap((place, i) => {
    const gap = i === 0 ? 0 : place - x[i - 1]!;
    const count = i === 0 ? 1 : STEPS;
    return Array.from({ length: count }, (_, step) => place - gap + (gap * (step + 1)) / count);
  });
  const fits = tried.map((from) => fitAt(x, centred, total, from));
  const rounding = 1e-12 * total;
  // Up to the second place all fit alike; the plateau then begins with the second.
  const best = fits.reduce((least, fit) =>
    fit.residual <= least.residual + rounding ? fit : least,
  );
  const t = studentCritical(0.05, df);
  const bound = best.residual * (1 + (t * t) / df) + rounding;
  // F test against the flat line with 2 and df degrees of freedom, whose tail has this closed form.
  const p = total > 0 ? (best.residual / total) ** (df / 2) : 1;
  const rises = best.slope > 0 && p < 0.05;
  if (!rises) return { from: null, interval: null, slope: best.slope, rises };
  const within = fits.filter(({ residual, slope }) => residual <= bound && slope > 0);
  return {
    from: best.from,
    interval: [within[0]!.from, within.at(-1)!.from],
    slope: best.slope,
    rises,
  };
}

interface Fit {
  from: number;
  slope: number;
  residual: number;
}

/** The best slope for a given place, each unit around its own mean. */
function fitAt(
  x: readonly number[],
  centred: readonly number[][],
  total: number,
  from: number,
): Fit {
  const ramp = withoutMean(x.map((place) => -Math.max(0, from - place)));
  const length = centred.length * ramp.reduce((sum, value) => sum + value * value, 0);
  if (length === 0) return { from, slope: 0, residual: total };
  const along = centred.reduce(
    (sum, row) => sum + row.reduce((own, value, i) => own + value * ramp[i]!, 0),
    0,
  );
  const slope = along / length;
  return { from, slope, residual: Math.max(0, total - slope * along) };
}

function withoutMean(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}
