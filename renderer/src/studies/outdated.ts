import type { Responses } from '../../../contract/api.ts';
import type { StudyDetail } from '../../../contract/study.ts';

/** Why a finished study's results are not what its file gives today. */
export interface Outdated {
  text: string;
  /** Whether it can be run again as it is. */
  fits: boolean;
}

/** null: running the study again would change nothing. */
export function outdated(
  { status, plan }: Pick<StudyDetail, 'status' | 'plan'>,
  now: Pick<Responses['studies.check'], 'plan' | 'issues'>,
): Outdated | null {
  if (status !== 'done') return null;
  const since = 'Labels, images or Carryover itself changed since these results were made';
  if (now.plan === null) {
    const why = now.issues.map(({ message }) => message).join('; ');
    return { text: `${since}, and the study no longer fits: ${why}`, fits: false };
  }
  const ids = new Set(plan.runs.map(({ id }) => id));
  const others = now.plan.runs.filter(({ id }) => !ids.has(id)).length;
  if (others === 0) return null;
  return { text: `${since}: ${others} of ${now.plan.runs.length} runs are others now`, fits: true };
}
