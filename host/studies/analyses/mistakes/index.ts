/** Common and uncommon mistakes of all pairs of runs, and whether they are of ambiguous images. */
import type { Quantity } from '../../../../contract/figures.ts';
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import { contrasts } from '../arm-values.ts';
import type { AnalysisDefinition, StudyView } from '../definition.ts';
import { overPairs, pairDifference } from '../pairs.ts';
import { bootstrapMethod, plainRuns, saidBy, testGroups } from '../said.ts';
import type { Estimated } from './ambiguous.ts';
import { mistakesFigures } from './figures.ts';
import type { Measured, MistakesJob, PairMistakes } from './measure.ts';
import { kindOf, pairValues } from './pair-values.ts';
import { caseTitles, classTable, pairTable } from './tables.ts';

type Options = AnalysisOptions<'mistakes'>;

function plan(view: StudyView, options: Options) {
  const own = plainRuns(view, 'mistakes');
  const runs = saidBy(view, own);
  const pairs = runs.flatMap((_, a) =>
    runs.slice(a + 1).map((__, b): [number, number] => [a, a + 1 + b]),
  );
  const job: MistakesJob = {
    ...{ runs, pairs, groups: testGroups(view) },
    contrasts: contrasts(view).map(({ pretrained, random }) => ({ pretrained, random })),
    replicates: options.replicates,
    falsePositiveRate: options['false-positive-rate'],
    wall: options.wall,
  };
  return { job, uses: own.map(({ id }) => id) };
}

function present(view: StudyView, options: Options, measured: Measured, job: MistakesJob) {
  const images = bootstrapMethod(measured.images, job.groups, job.replicates);
  return {
    quantities: [...ofPairs(measured, job), ...ofAmbiguity(measured, job, images)],
    figures: mistakesFigures(view, measured, job, images),
    tables: [pairTable(measured, job), classTable(measured, job)],
    notes: notesOf(options, measured, job),
  };
}

const PARTS: { key: string; title: string; of: (pair: PairMistakes) => number | null }[] = [
  { key: 'common', title: 'common mistakes, share of the images', of: ({ common }) => common },
  {
    key: 'uncommon',
    title: 'uncommon mistakes, share of the images',
    of: ({ onlyA, onlyB }) => onlyA + onlyB,
  },
  {
    key: 'overlap',
    title: 'common mistakes, share of all mistakes of the two',
    of: ({ jaccard }) => jaccard,
  },
  { key: 'kappa', title: 'error consistency (kappa)', of: ({ kappa }) => kappa },
];

function ofPairs(measured: Measured, job: MistakesJob): Quantity[] {
  const kinds = [...new Set(job.pairs.map((pair) => kindOf(job, pair)))];
  return PARTS.flatMap(({ key, title, of }) => {
    const values = pairValues(job, measured, of);
    const unit = key === 'kappa' ? '1' : '%';
    const own = kinds.map((kind): Quantity => ({
      ...{ key: `mistakes.${key}.${kind}`, title: `${title}: ${kind}`, unit },
      ...overPairs(values, kind),
    }));
    const differences = kinds.flatMap((first) =>
      kinds
        .filter((second) => second !== first)
        .map((second): Quantity => ({
          key: `mistakes.${key}.difference.${first} minus ${second}`,
          title: `${title}: ${first} less ${second}`,
          unit,
          ...pairDifference(values, first, second),
        })),
    );
    return [...own, ...differences];
  });
}

function ofAmbiguity(measured: Measured, job: MistakesJob, method: string): Quantity[] {
  return measured.ambiguity.flatMap(({ entropy, confidence, counts }, at) => {
    const { pretrained, random } = job.contrasts[at]!;
    const kind = `${pretrained}/${random}`;
    const titles = caseTitles(pretrained, random);
    const [first, second] = [counts['only-pretrained-wrong'], counts['only-random-wrong']];
    const made = (key: string, title: string, found: Estimated, n: number): Quantity => ({
      ...{ key: `mistakes.${key}`, title, ...found, method, n, unit: '1' },
    });
    const what = { entropy, confidence } as const;
    return (['entropy', 'confidence'] as const).flatMap((name) => [
      made(
        `ambiguity.${name}.only-${pretrained}-wrong.${kind}`,
        `${name} where ${titles['only-pretrained-wrong']}`,
        what[name].means['only-pretrained-wrong'],
        first,
      ),
      made(
        `ambiguity.${name}.only-${random}-wrong.${kind}`,
        `${name} where ${titles['only-random-wrong']}`,
        what[name].means['only-random-wrong'],
        second,
      ),
      made(
        `ambiguity.${name}.difference.${kind}`,
        `${name} where ${titles['only-pretrained-wrong']}, less that where ${titles['only-random-wrong']}`,
        what[name].difference,
        first + second,
      ),
    ]);
  });
}

function notesOf(options: Options, { findings, ambiguity }: Measured, job: MistakesJob): string[] {
  const notes: string[] = [];
  if (findings) {
    notes.push(
      `A finding is called present where its score reaches the threshold that calls ${
        100 * options['false-positive-rate']
      } % of its negatives on the training side. Numbers of pairs are means over the findings.`,
    );
  } else if (ambiguity.length > 0) {
    notes.push(
      "Ambiguity: entropy of the mean of the runs' probabilities, from 0 (clear) to 1, and mean confidence.",
      ambiguity.some(({ circular }) => circular)
        ? 'With one seed an arm the two runs themselves are asked how ambiguous an image is, which favours the arm that is less sure.'
        : 'How ambiguous an image is, is asked of the runs that are not of the pair.',
    );
  }
  if (job.runs.length < 3) notes.push('Fewer than three runs: kinds of pairs cannot be compared.');
  return notes;
}

export const mistakes: AnalysisDefinition<'mistakes', MistakesJob, Measured> = {
  name: 'mistakes',
  title: 'Mistakes',
  version: 4,
  plan,
  present,
};
