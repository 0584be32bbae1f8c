/** Which modules matter: rewinding (paper, Fig. 5) and criticality (Fig. 6). */
import { CarryoverError } from '../../../../contract/errors.ts';
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import type { AnalysisDefinition, StudyRun, StudyView } from '../definition.ts';
import { armRuns } from '../pairs.ts';
import type { CriticalityJob, CriticalityMeasured, PathKind } from './measure.ts';
import { presented } from './present.ts';

type Options = AnalysisOptions<'criticality'>;

function plan(view: StudyView, options: Options) {
  const runs = armRuns(view);
  const [first] = runs;
  if (!first) {
    throw new CarryoverError('unsupported', 'criticality needs runs that are not shuffled', {
      wayOut: 'add none to shuffles',
    });
  }
  const paths = options['rewind-only'] ? [] : pathsOf(options.path);
  const planned = runs.map((run) => ({ start: run.start, result: run.result, kept: keptOf(run) }));
  if (paths.includes('checkpoints') && planned.every(({ kept }) => kept.length < 3)) {
    const message =
      'the path of checkpoints needs weights of epochs between the first and the last';
    throw new CarryoverError('unsupported', message, {
      wayOut: 'take path: direct, or add the analysis rewinding, which keeps epochs',
    });
  }
  const job: CriticalityJob = {
    train: { run: first.id, split: 'train', most: options.images },
    test: { run: first.id, split: 'test', most: options.images },
    runs: planned,
    paths,
    ...{ alphas: options.alphas, sigmas: options.sigmas, samples: options.samples },
  };
  return { job, uses: runs.map(({ id }) => id) };
}

function pathsOf(path: Options['path']): PathKind[] {
  return path === 'both' ? ['direct', 'checkpoints'] : [path];
}

/** Up to the epoch that the run stands for. */
function keptOf({ keptEpochs, result }: StudyRun): { run: string; epoch: number }[] {
  return keptEpochs
    .filter((epoch) => epoch <= result.epoch)
    .map((epoch) => ({ run: result.run, epoch }));
}

export const criticality: AnalysisDefinition<'criticality', CriticalityJob, CriticalityMeasured> = {
  name: 'criticality',
  title: 'Which modules matter',
  version: 1,
  plan,
  present: (view, options, measured) => presented(view, armRuns(view), options, measured),
};
