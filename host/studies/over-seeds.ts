import type { RunSummary } from '../../contract/runs.ts';
import type { OverSeeds } from '../../contract/study-results.ts';

/** A number of each run over the seeds; null where a run does not have it. */
export function overSeeds<T extends { run: Pick<RunSummary, 'id'> }>(
  own: readonly T[],
  value: (each: T) => number | null,
): OverSeeds | null {
  const values = own.flatMap((each) => value(each) ?? []);
  if (values.length === 0 || values.length < own.length) return null;
  return {
    mean: values.reduce((sum, each) => sum + each, 0) / values.length,
    min: Math.min(...values),
    max: Math.max(...values),
    values,
    runIds: own.map(({ run }) => run.id),
  };
}
