/** Which checkpoint to start from (paper, Fig. 7). */
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import type { AnalysisDefinition, StudyView } from '../definition.ts';
import { baseArm, presentSeries, seriesOf, type SeriesText } from '../epoch-series.ts';

const TEXT: SeriesText = {
  name: 'checkpoints',
  epoch: 'pretraining epoch',
  title: 'By pretraining epoch',
  about: 'Fine-tuned from the weights after so many epochs of pretraining; 0: its random start.',
};

function series(view: StudyView, { arm }: AnalysisOptions<'checkpoints'>) {
  return seriesOf(view, `${baseArm(view, arm)} from epoch `, TEXT.name);
}

export const checkpoints: AnalysisDefinition<'checkpoints', Record<string, never>, null> = {
  name: 'checkpoints',
  title: 'Which checkpoint to start from',
  version: 1,
  plan: (view, options) => ({
    job: {},
    uses: [...new Set(series(view, options).map(({ run }) => run.id))],
  }),
  present: (view, options) => presentSeries(view, series(view, options), TEXT),
};
