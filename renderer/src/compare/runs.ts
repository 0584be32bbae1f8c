import type { RunSummary } from '../../../contract/runs.ts';
import { percent, shuffleTitle } from '../lib/format.ts';

/** A run in one line: "RI-T · seed 1 · 8 px blocks · 61.2 %". */
export const runTitle = (run: RunSummary): string =>
  [run.arm, `seed ${run.seed}`, shuffleTitle(run.shuffle), percent(run.testAccuracy)].join(' · ');

/** Finished target runs under the first study that has them, in the order they came. */
export function groupRuns(runs: readonly RunSummary[]): { title: string; runs: RunSummary[] }[] {
  const groups = new Map<string, RunSummary[]>();
  for (const run of runs) {
    if (run.kind !== 'target' || run.status !== 'done') continue;
    const title = run.studies[0]?.name ?? 'no study';
    groups.set(title, [...(groups.get(title) ?? []), run]);
  }
  return [...groups].map(([title, members]) => ({ title, runs: members }));
}

/** Two runs to begin with: the first pair of different arms with one shuffle, else any two. */
export function firstPair(runs: readonly RunSummary[]): [string, string] | null {
  const usable = groupRuns(runs).flatMap((group) => group.runs);
  const [a] = usable;
  if (a === undefined) return null;
  const sameData = usable.filter((run) => run.id !== a.id && run.datasetId === a.datasetId);
  const other = sameData.find((run) => run.arm !== a.arm && run.shuffle === a.shuffle);
  const b = other ?? sameData[0];
  return b === undefined ? null : [a.id, b.id];
}
