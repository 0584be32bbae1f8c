import { measureOf, type StudyResults } from '../../../contract/study-results.ts';

type Arm = StudyResults['arms'][number];

/** The results of one shuffle side by side. */
export interface ShuffleEffect {
  shuffle: string;
  arms: Arm[];
  /** Lowest and highest mean of the arms. */
  low: number;
  high: number;
}

/** The arms of each shuffle, shuffles in order of first appearance. */
export function effects(results: StudyResults): ShuffleEffect[] {
  const shuffles = [...new Set(results.arms.map((arm) => arm.shuffle))];
  return shuffles.map((shuffle) => {
    const arms = results.arms.filter((arm) => arm.shuffle === shuffle);
    const means = arms.map((arm) => measureOf(arm).mean);
    return { shuffle, arms, low: Math.min(...means), high: Math.max(...means) };
  });
}

/** What stands above a study's tables. */
export interface Headline {
  shuffle: string;
  pretrained: Arm;
  random: Arm;
  /** By how much the pretrained start is ahead, in what arms are judged by. */
  gain: number;
  /** Mean kappa over the pairs of each kind. */
  kappas: { kind: string; kappa: number }[];
}

/** The study in a few numbers, without shuffle where it has that; null without a compared pair. */
export function headline(results: StudyResults): Headline | null {
  const drop =
    results.relativeDrop.find((one) => one.shuffle === 'none') ?? results.relativeDrop[0];
  if (drop === undefined) return null;
  const { shuffle } = drop;
  const arm = (name: string) =>
    results.arms.find((one) => one.shuffle === shuffle && one.arm === name);
  const pretrained = arm(drop.pretrained);
  const random = arm(drop.random);
  if (pretrained === undefined || random === undefined) return null;
  const gain = measureOf(pretrained).mean - measureOf(random).mean;
  return { shuffle, pretrained, random, gain, kappas: meanKappas(results, shuffle) };
}

function meanKappas(results: StudyResults, shuffle: string) {
  const pairs = results.pairs.filter((pair) => pair.shuffle === shuffle);
  return [...new Set(pairs.map((pair) => pair.kind))].map((kind) => {
    const kappas = pairs.filter((pair) => pair.kind === kind).map((pair) => pair.kappa);
    return { kind, kappa: kappas.reduce((sum, kappa) => sum + kappa, 0) / kappas.length };
  });
}
