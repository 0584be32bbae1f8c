import { measureOf, type OverSeeds, type StudyResults } from '../../../contract/study-results.ts';
import { intervalMark } from './charts.ts';
import type { ReportData } from './data.ts';
import { armIndex, findingNames, leakLine, shuffleTitle } from './data.ts';
import type { Html } from './html.ts';
import { fixed, html, percent } from './html.ts';
import { colour } from './style.ts';

type Arm = StudyResults['arms'][number];

/** The result in a sentence or two and in large figures. */
export function summary(data: ReportData): Html {
  const { results, study } = data;
  const drop = results.relativeDrop[0];
  const find = (arm: string | undefined) =>
    results.arms.find((each) => each.arm === arm && each.shuffle === drop?.shuffle);
  const pretrained = find(drop?.pretrained);
  const random = find(drop?.random);
  const where = data.runs.find(({ kind }) => kind === 'target')?.domains.join(', ') ?? '';
  const lead =
    pretrained && random
      ? html`<p class="lead">
          On ${where}, ${pretrained.arm} reaches ${reached(pretrained)}
          ${pretrained.auc ? 'on' : 'of'} ${study.plan.testImages} test images and ${random.arm}
          ${reached(random)} (${shuffleTitle(pretrained.shuffle)}, mean of
          ${study.spec.seeds.length} seeds).
        </p>`
      : null;
  return html`${lead}
    <div class="cards">${cards(data, pretrained, random)}</div>`;
}

function reached(arm: Arm): Html {
  if (arm.auc === null) return html`<b>${percent(arm.accuracy.mean)}</b>`;
  return html`a mean area under the ROC curve of <b>${fixed(arm.auc.mean, 3)}</b>`;
}

function cards(data: ReportData, pretrained?: Arm, random?: Arm): Html[] {
  const made: [string, string][] = [];
  if (pretrained && random) {
    const gain = measureOf(pretrained).mean - measureOf(random).mean;
    const over = `of ${pretrained.arm} over ${random.arm}`;
    made.push(
      pretrained.auc
        ? [signed(gain, 3), `area under the ROC curve ${over}`]
        : [`${signed(100 * gain, 1)} points`, `accuracy ${over}`],
    );
    const speeds = [pretrained.optimisationSpeed, random.optimisationSpeed];
    if (speeds[0] && speeds[1]) {
      const text = `${fixed(speeds[0].mean)} / ${fixed(speeds[1].mean)}`;
      made.push([text, `optimisation speed, ${pretrained.arm} / ${random.arm}`]);
    }
  }
  const shuffle = pretrained?.shuffle ?? data.results.pairs[0]?.shuffle;
  for (const [kind, kappa] of meanKappas(data.results, shuffle)) {
    made.push([`κ ${fixed(kappa)}`, `error consistency of ${kind}`]);
  }
  return made.map(
    ([value, label]) => html`<div class="card"><b>${value}</b><span>${label}</span></div>`,
  );
}

function signed(value: number, digits: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
}

function meanKappas(results: StudyResults, shuffle: string | undefined): [string, number][] {
  const byKind = Map.groupBy(
    results.pairs.filter((pair) => pair.shuffle === shuffle),
    ({ kind }) => kind,
  );
  return [...byKind].map(([kind, pairs]) => [
    kind,
    pairs.reduce((sum, { kappa }) => sum + kappa, 0) / pairs.length,
  ]);
}

/** Arms by shuffles: accuracy, optimisation speed, and the values behind the means. */
export function mainTable(data: ReportData): Html {
  const rows = data.results.arms.map((each, index, all) => {
    const first = index > 0 && all[index - 1]?.shuffle !== each.shuffle;
    return armRow(data, each, first);
  });
  const areas = findingNames(data).length > 0;
  return html`${leakLine(data)}
    <div class="scroll">
      <table class="tight">
        <thead>
          <tr>
            <th>Images</th>
            <th>Arm</th>
            ${
              areas
                ? html`<th class="n">Mean AUC</th>
                    <th>by seed</th>`
                : null
            }
            <th class="n">Test accuracy</th>
            <th>[min–max] by seed ${data.study.spec.seeds.join(', ')}</th>
            <th class="n">Optimisation speed</th>
            <th>by seed</th>
            <th class="n">Relative drop</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
    ${speedNote(areas)}`;
}

function speedNote(areas: boolean): Html {
  return html`<p class="soft small">
    Optimisation speed: mean clean training accuracy over the epochs 1 to the last. Relative drop:
    100 (A − B) / A, A the pretrained arm's mean ${areas ? 'AUC' : 'accuracy'} and B that of the
    random start.
    ${
      areas
        ? 'AUC: area under the ROC curve, mean over the findings with both values. Accuracy: share of known findings that are right at probability 1/2.'
        : null
    }
  </p>`;
}

function armRow(data: ReportData, each: Arm, first: boolean): Html {
  const { arm, shuffle, accuracy, optimisationSpeed: speed } = each;
  const drop = data.results.relativeDrop.find(
    (one) => one.shuffle === shuffle && one.pretrained === arm,
  );
  return html`<tr class="${first ? 'first' : ''}">
    <td>${shuffleTitle(shuffle)}</td>
    <td>${key(data, arm)}${arm}</td>
    ${
      each.auc &&
      html`<td class="n">${fixed(each.auc.mean, 3)}</td>
        <td class="soft">${values(each.auc, (one) => fixed(one, 3))}</td>`
    }
    <td class="n">${percent(accuracy.mean)}</td>
    <td>${range(accuracy)}</td>
    <td class="n">${fixed(speed && speed.mean, 3)}</td>
    <td class="soft">${speed && values(speed, (one) => fixed(one, 3))}</td>
    <td class="n">${drop === undefined ? null : `${fixed(drop.percent, 1)} %`}</td>
  </tr>`;
}

export function range(over: OverSeeds): Html {
  return html`[${percent(over.min)}–${percent(over.max)}]
    <span class="soft">${values(over, percent)}</span>`;
}

function values(over: OverSeeds, show: (value: number) => string): string {
  return over.values.map(show).join(', ');
}

export function key(data: ReportData, arm: string): Html {
  return html`<span class="key" style="background:${colour(armIndex(data, arm))}"></span>`;
}

const PAIR_NOTE = html`<p class="soft small">
  Common mistake: both wrong. Uncommon: exactly one wrong. Same wrong label: the share of common
  mistakes on which both say the same. Under a shuffle another seed is another permutation: such a
  pair saw the same images cut and put together in different ways.
</p>`;

/** Every pair of runs of a shuffle, by its kind. */
export function pairTable(data: ReportData): Html {
  const { pairs } = data.results;
  if (pairs.length === 0) return html``;
  const kinds = [...new Set(pairs.map(({ kind }) => kind))];
  const sorted = pairs.toSorted(
    (x, y) => order(data, x, y) || kinds.indexOf(x.kind) - kinds.indexOf(y.kind),
  );
  const rows = sorted.map((pair, index) => pairRow(data, kinds, pair, sorted[index - 1]));
  return html`<h2 id="agreement">Agreement</h2>
    ${leakLine(data)}
    <p>
      Do two models fail on the same images? κ is the error consistency: 1 when they are right and
      wrong on the same images, 0 when no more than chance would have it. The intervals are 95 %
      bootstrap intervals over groups of test images (n = ${pairs[0]?.n ?? 0}).
    </p>
    <div class="scroll">
      <table class="tight">
        <thead>
          <tr>
            <th>Images</th>
            <th>Pair</th>
            <th>Seeds</th>
            <th class="n">κ</th>
            <th class="n">95 %</th>
            <th>−1 … 1</th>
            <th class="n">Same wrong label</th>
            <th class="n">Common mistakes</th>
            <th class="n">Uncommon mistakes</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
    ${PAIR_NOTE}`;
}

function pairRow(data: ReportData, kinds: string[], pair: Pair, before: Pair | undefined): Html {
  const { kind, shuffle, kappa, kappaInterval } = pair;
  const first = before && (before.kind !== kind || before.shuffle !== shuffle);
  const seeds = [pair.a, pair.b].map((id) => data.runs.find((run) => run.id === id)?.seed ?? '');
  const [low, high] = kappaInterval;
  return html`<tr class="${first ? 'first' : ''}">
    <td>${shuffleTitle(shuffle)}</td>
    <td>${kind}</td>
    <td>${seeds.join(' and ')}</td>
    <td class="n">${fixed(kappa)}</td>
    <td class="n">[${fixed(low)}, ${fixed(high)}]</td>
    <td>${intervalMark(kappa, kappaInterval, colour(kinds.indexOf(kind)))}</td>
    <td class="n">${percent(pair.sameWrongLabelRate)}</td>
    <td class="n">${pair.commonMistakes}</td>
    <td class="n">${pair.uncommonMistakes}</td>
  </tr>`;
}

type Pair = StudyResults['pairs'][number];

function order({ study }: ReportData, x: Pair, y: Pair): number {
  const place = (pair: Pair) => study.spec.shuffles.map(String).indexOf(pair.shuffle);
  return place(x) - place(y);
}
