/** Training anew from a run's own early weights (Frankle et al. 2020: late rewinding). */
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import type { AnalysisDefinition, StudyView } from '../definition.ts';
import { baseArm, presentSeries, seriesOf, type SeriesText } from '../epoch-series.ts';

const TEXT: SeriesText = {
  name: 'rewinding',
  epoch: 'epoch rewound to',
  title: 'Trained anew from its own early weights',
  about: 'Every run starts from its own weights after so many epochs, its schedule from the start.',
};

function series(view: StudyView, { arm }: AnalysisOptions<'rewinding'>) {
  return seriesOf(view, `${baseArm(view, arm)} rewound to `, TEXT.name);
}

export const rewinding: AnalysisDefinition<'rewinding', Record<string, never>, null> = {
  name: 'rewinding',
  title: 'Rewinding within a run',
  version: 1,
  plan: (view, options) => ({
    job: {},
    uses: [...new Set(series(view, options).map(({ run }) => run.id))],
  }),
  present: (view, options) => presentSeries(view, series(view, options), TEXT),
};
