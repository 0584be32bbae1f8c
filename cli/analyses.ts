import type { FeatureSource } from '../contract/analyses.ts';
import type { Job } from '../contract/jobs.ts';
import type { DatasetSummary } from '../contract/datasets.ts';
import type { Workbench } from '../host/workbench.ts';
import { followJob } from './follow.ts';

/** `--from`: a run's id, a checkpoint's name or id, or `pixels`. */
export function sourceOf({ context: { db } }: Workbench, from: string): FeatureSource {
  if (from === 'pixels') return { pixels: true };
  const isRun = db.prepare('SELECT 1 FROM runs WHERE id = ?').get(from) !== undefined;
  return isRun ? { run: from } : { checkpoint: from };
}

/** Opens a home, starts an analysis of a data set, follows it, and hands its id to `use`. */
export async function analyse(
  { home, dataset, command }: { home: string | undefined; dataset: string; command: string },
  start: (workbench: Workbench, dataset: DatasetSummary) => Job | Promise<Job>,
  use: (workbench: Workbench, id: string) => Promise<void>,
): Promise<void> {
  const { openWorkbench } = await import('../host/workbench.ts');
  const { findDataset } = await import('../host/datasets/read.ts');
  const workbench = openWorkbench({ command, ...(home === undefined ? {} : { home }) });
  try {
    const found = findDataset(workbench.context.db, dataset);
    const job = await start(workbench, found);
    await use(workbench, await followJob(workbench, job, `the ${command}`));
  } finally {
    await workbench.close();
  }
}
