import type { RunDetail } from '../../../contract/runs.ts';
import { measureOf, type OverSeeds, type StudyResults } from '../../../contract/study-results.ts';
import type { BarGroup, Line, Unit } from './charts.ts';
import { barChart, lineChart } from './charts.ts';
import type { ReportData } from './data.ts';
import { armIndex, findingNames, leakLine, shuffleTitle } from './data.ts';
import type { Html } from './html.ts';
import { fixed, html } from './html.ts';
import { colour } from './style.ts';

/** Accuracy and speed by shuffle, then the learning curves. */
export function figures(data: ReportData): Html {
  const arms = Object.keys(data.study.spec.arms);
  const legend = html`<div class="legend">
    ${arms.map(
      (arm, index) =>
        html`<span><span class="key" style="background:${colour(index)}"></span>${arm}</span>`,
    )}
  </div>`;
  return html`<h2 id="figures">By shuffle</h2>
    <div class="figures">${barFigures(data, legend)}</div>
    <h2 id="curves">Learning curves</h2>
    <p>
      One line per run. Left: on test images. Right: accuracy on the training images without
      augmentation, whose mean is the optimisation speed.
    </p>
    <div class="figures">
      ${data.study.spec.shuffles.map((shuffle) => curves(data, String(shuffle), legend))}
    </div>`;
}

function barFigures(data: ReportData, legend: Html): Html[] {
  const { title, unit } = measured(data);
  const bars = barGroups(data, measureOf, dropNote(data.results));
  const made = [
    figure(data, title, 'mean, dots: seeds, above: relative drop', [
      barChart(`${title} by shuffle`, 'shuffle', bars, unit),
      legend,
    ]),
  ];
  if (data.results.arms.every((each) => each.optimisationSpeed !== null)) {
    const speed = barGroups(
      data,
      (each) => each.optimisationSpeed,
      () => null,
    );
    made.push(
      figure(data, 'Optimisation speed', 'mean training accuracy over the epochs', [
        barChart('Optimisation speed by shuffle', 'shuffle', speed),
        legend,
      ]),
    );
  }
  return made;
}

function barGroups(
  data: ReportData,
  value: (each: StudyResults['arms'][number]) => OverSeeds | null,
  note: (shuffle: string) => string | null,
): BarGroup[] {
  return data.study.spec.shuffles.map(String).map((shuffle) => ({
    label: shuffle,
    note: note(shuffle),
    bars: data.results.arms
      .filter((each) => each.shuffle === shuffle)
      .flatMap((each) => {
        const over = value(each);
        if (over === null) return [];
        const { mean, values } = over;
        return [{ name: each.arm, colour: colour(armIndex(data, each.arm)), mean, values }];
      }),
  }));
}

function dropNote({ relativeDrop }: StudyResults): (shuffle: string) => string | null {
  return (shuffle) => {
    const drops = relativeDrop.filter((each) => each.shuffle === shuffle);
    return drops.length === 1 && drops[0] ? `${fixed(drops[0].percent, 0)} %` : null;
  };
}

function curves(data: ReportData, shuffle: string, legend: Html): Html[] {
  const runs = data.runs.filter((run) => run.kind === 'target' && run.shuffle === shuffle);
  const title = shuffleTitle(shuffle);
  const { title: tested, key, unit } = measured(data);
  const chart = (what: string, metric: Metric, by?: Unit) => {
    const drawn = lineChart(`${what}, ${title}`, 'epoch', lines(data, runs, metric), by);
    return figure(data, what, title, [drawn, legend]);
  };
  return [chart(tested, key, unit), chart('Training accuracy', 'trainAccuracy')];
}

type Metric = 'testAccuracy' | 'trainAccuracy' | 'testAuc';

/** What arms are judged by. */
function measured(data: ReportData): { title: string; key: Metric; unit: Unit } {
  return findingNames(data).length > 0
    ? { title: 'Mean area under the ROC curve', key: 'testAuc', unit: '1' }
    : { title: 'Test accuracy', key: 'testAccuracy', unit: '%' };
}

function lines(data: ReportData, runs: readonly RunDetail[], key: Metric): Line[] {
  return runs.map(({ arm, seed, curve }) => ({
    name: `${arm} seed ${seed}`,
    colour: colour(armIndex(data, arm)),
    points: curve.flatMap((each) => {
      const y = each[key];
      return y === null ? [] : [{ x: each.epoch, y }];
    }),
  }));
}

/** Every figure of a split that leaks says so. */
function figure(data: ReportData, title: string, about: string, parts: Html[]): Html {
  return html`<figure>
    <figcaption>${title} <span>· ${about}</span></figcaption>
    ${parts} ${leakLine(data)}
  </figure>`;
}
