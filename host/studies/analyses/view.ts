import type { RunSummary } from '../../../contract/runs.ts';
import type { HostContext } from '../../context.ts';
import type { ExpandedStudy } from '../plan.ts';
import { isPresent, runFiles, runFolder } from '../run-files.ts';
import { listRuns, resultEpoch } from '../run-rows.ts';
import { join } from 'node:path';
import type { StudyRun, StudyView } from './definition.ts';
import { networkKey } from './protocol.ts';

/** A study whose runs are all done, as its analyses see it. */
export function viewOf(
  context: Pick<HostContext, 'db' | 'home'>,
  id: string,
  study: ExpandedStudy,
): StudyView {
  const runs = listRuns(context.db, { studyId: id }).map((run) => studyRun(context, run));
  return { id, study, runs: withShared(runs, study), context };
}

/** Runs, and once more those that are also an arm that an analysis asked for, by its name. */
export function withShared<T extends { id: string; arm: string }>(
  runs: readonly T[],
  { shared }: Pick<ExpandedStudy, 'shared'>,
): T[] {
  const byId = new Map(runs.map((run) => [run.id, run]));
  const others = shared.flatMap(({ arm, run }) => {
    const own = byId.get(run);
    return own ? [{ ...own, arm }] : [];
  });
  return [...runs, ...others];
}

function studyRun(context: Pick<HostContext, 'db' | 'home'>, run: RunSummary): StudyRun {
  const keptEpochs = weightsOf(context, run.id).map(({ epoch }) => epoch);
  return {
    ...run,
    result: { run: run.id, epoch: resultEpoch(run) },
    start: { run: run.id, epoch: 0 },
    keptEpochs,
  };
}

function weightsOf(
  context: Pick<HostContext, 'db' | 'home'>,
  runId: string,
): { epoch: number; file: string }[] {
  return runFiles(context.db, runId)
    .flatMap((file) => {
      if (file.kind !== 'weights' || file.epoch === null) return [];
      if (!isPresent(context, runId, file)) return [];
      return [{ epoch: file.epoch, file: join(runFolder(context, runId), file.name) }];
    })
    .sort((a, b) => a.epoch - b.epoch);
}

/** The weights files of runs by `networkKey`. */
export function weightsFiles(
  context: Pick<HostContext, 'db' | 'home'>,
  runIds: readonly string[],
): Record<string, string> {
  const named = runIds.flatMap((run) =>
    weightsOf(context, run).map(({ epoch, file }) => [networkKey({ run, epoch }), file] as const),
  );
  return Object.fromEntries(named);
}
