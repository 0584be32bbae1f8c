import type { Quantity } from '../../../contract/figures.ts';
import type { AnalysisState, Claim, JudgedClaim } from '../../../contract/study-analyses.ts';
import type { HostContext } from '../../context.ts';
import { getStudyAnalysis } from './store.ts';

/** The scorecard: each claim of a study beside what was measured, by the rule it came with. */
export function judgeClaims(
  { db }: Pick<HostContext, 'db'>,
  claims: readonly Claim[],
  analyses: readonly AnalysisState[],
): JudgedClaim[] {
  const ids = analyses.flatMap(({ id }) => id ?? []);
  const quantities = ids.flatMap((id) => getStudyAnalysis(db, id).quantities);
  return claims.map((claim) => judge(claim, quantities));
}

/**
 * Holds where the whole 95 % interval is on the claimed side of each bound, does not hold where it
 * is wholly on the other side of one; else, and without an interval, it is undecided.
 */
export function judge(claim: Claim, quantities: readonly Quantity[]): JudgedClaim {
  const measured = quantities.find(({ key }) => key === claim.quantity) ?? null;
  if (measured === null) {
    const why = `nothing measured ${claim.quantity}`;
    return { ...claim, measured, verdict: 'undecided', why };
  }
  return { ...claim, measured, ...verdictOf(claim, measured) };
}

function verdictOf(
  { above = -Infinity, below = Infinity }: Claim,
  { value, interval }: Quantity,
): Pick<JudgedClaim, 'verdict' | 'why'> {
  if (value === null) {
    return { verdict: 'undecided', why: 'it is not defined for these runs' };
  }
  if (interval === null) return { verdict: 'undecided', why: 'it has no interval' };
  const [low, high] = interval;
  if (high <= above || low >= below) {
    return { verdict: 'does not hold', why: 'the whole interval contradicts it' };
  }
  if (low > above && high < below) {
    return { verdict: 'holds', why: 'the whole interval is within the bound' };
  }
  return { verdict: 'undecided', why: 'the interval reaches across the bound' };
}
