import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Handlers } from '../../contract/api.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { HostContext } from '../context.ts';
import { drawnAnalysis } from './analyses/drawn.ts';
import { createComparer } from './compare.ts';
import { checkStudy, saveStudy } from './save.ts';
import { createRateSearcher } from './rate-search.ts';
import { createStudyRunner } from './runner.ts';
import type { StudyRunner } from './runner.ts';
import { listRuns, runDetail } from './run-rows.ts';
import { dropStudy, recoverStudies } from './store.ts';
import { listStudies, studyDetail, studySummary } from './study-rows.ts';
import { createTurns } from './turns.ts';

type StudyRequests = Extract<
  keyof Handlers,
  `studies.${string}` | `runs.${string}` | `compare.${string}`
>;

/** Studies, runs and comparisons. What a crash left half-done becomes `interrupted` here. */
export function studyHandlers(context: HostContext): Pick<Handlers, StudyRequests> {
  if (!context.db.readonly) recoverStudies(context.db);
  const inTurn = createTurns();
  const runner = createStudyRunner(context, inTurn);
  const searcher = createRateSearcher(context, inTurn);
  const comparer = createComparer(context);
  const detail = (id: string) => studyDetail(context, id);
  return {
    'studies.list': () => listStudies(context.db),
    'studies.get': ({ id }) => detail(id),
    'studies.check': ({ yaml }) => checkStudy(context, yaml),
    'studies.create': ({ yaml }) => detail(saveStudy(context, yaml)),
    'studies.start': ({ id }) => runner.start(id),
    'studies.resume': ({ id }) => runner.start(id),
    'studies.pause': async ({ id }) => {
      await runner.pause(id);
      return detail(id);
    },
    'studies.cancel': async ({ id }) => {
      await runner.cancel(id);
      return detail(id);
    },
    'studies.findRate': ({ yaml, arm }) => searcher.find(yaml, arm),
    'studies.rateSearch': ({ id }) => searcher.get(id),
    'studies.remove': ({ id }) => remove(context, runner, id),
    'studies.analysis': ({ id }) => drawnAnalysis(context, id),
    'runs.list': (filter) => listRuns(context.db, filter),
    'runs.get': ({ id }) => runDetail(context.db, id),
    'compare.pair': ({ a, b, split }) => comparer.report(a, b, split),
    'compare.images': (query) => comparer.images(query),
  };
}

/** Forgets a study and its report; trained runs stay. */
function remove({ db, home }: HostContext, runner: StudyRunner, id: string): null {
  const { name } = studySummary(db, id);
  if (runner.isRunning(id)) {
    throw new CarryoverError('conflict', `the study "${name}" is running`, {
      wayOut: 'cancel it first',
    });
  }
  dropStudy(db, id);
  rmSync(join(home.reports, id), { recursive: true, force: true });
  return null;
}
