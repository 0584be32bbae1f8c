/** What is stored of studies, with what earlier versions did not write. */
import type { StudySpec } from '../../contract/study.ts';
import type { StudyResults } from '../../contract/study-results.ts';

/** A specification as stored. */
export function specOf(json: string): StudySpec {
  const spec = JSON.parse(json) as StudySpec;
  const data = { ...spec.data, subgroups: spec.data.subgroups ?? [] };
  return { ...spec, data, claims: spec.claims ?? [] };
}

/** Results as stored. */
export function resultsOf(json: string): StudyResults {
  const results = JSON.parse(json) as StudyResults;
  return {
    ...results,
    arms: results.arms.map((arm) => ({ ...arm, auc: arm.auc ?? null })),
    findings: results.findings ?? [],
    subgroups: results.subgroups ?? [],
    warnings: results.warnings ?? [],
    analyses: results.analyses ?? [],
    claims: results.claims ?? [],
  };
}
