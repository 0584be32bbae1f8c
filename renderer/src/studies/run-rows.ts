import type { RunSummary } from '../../../contract/runs.ts';
import type { StudyPlan } from '../../../contract/study.ts';

/** A planned run of a study, with what came of it so far. */
export interface RunRow {
  id: string;
  arm: string;
  kind: 'pretraining' | 'target';
  seed: number;
  shuffle: string;
  /** null until the run was begun. */
  run: RunSummary | null;
}

/** The planned runs in their order, each with its row on the host where there is one. */
export function runRows(
  plan: StudyPlan['runs'],
  runs: { get(id: string): RunSummary | undefined },
): RunRow[] {
  return plan.map(({ id, arm, kind, seed, shuffle }) => {
    return { id, arm, kind, seed, shuffle, run: runs.get(id) ?? null };
  });
}

/** The shuffles of the rows that train on the target, in the order of the plan. */
export function shufflesOf(rows: readonly RunRow[]): string[] {
  return [...new Set(rows.filter((row) => row.kind === 'target').map((row) => row.shuffle))];
}

/** Planned runs of one kind, arm and shuffle together, in the order of the plan. */
export function planLines(runs: StudyPlan['runs']): { key: string; runs: StudyPlan['runs'] }[] {
  const lines = new Map<string, StudyPlan['runs']>();
  for (const run of runs) {
    const key = `${run.kind} ${run.arm} ${run.shuffle}`;
    lines.set(key, [...(lines.get(key) ?? []), run]);
  }
  return [...lines].map(([key, members]) => ({ key, runs: members }));
}

const NOTHING = {
  ...{ status: 'planned', epochs: null, epochsDone: null },
  ...{ trainAccuracy: null, testAccuracy: null, testAuc: null, optimisationSpeed: null },
};

/** The rows as a table for export. */
export function runTable(rows: readonly RunRow[]) {
  return {
    header: [
      ...['run', 'arm', 'kind', 'seed', 'shuffle', 'status', 'epochs', 'epochs done'],
      ...['train accuracy', 'test accuracy', 'test AUC', 'optimisation speed'],
    ],
    rows: rows.map(({ id, arm, kind, seed, shuffle, run }) => {
      const now = run ?? NOTHING;
      return [
        ...[id, arm, kind, seed, shuffle, now.status, now.epochs, now.epochsDone],
        ...[now.trainAccuracy, now.testAccuracy, now.testAuc, now.optimisationSpeed],
      ];
    }),
  };
}
