import { averageLinkage, leafOrder } from '../../../../engine/analysis/clustering.ts';
import { mistakes, type Mistakes } from '../../../../engine/analysis/kappa.ts';
import { thresholdAtFalsePositiveRate } from '../../../../engine/analysis/operating-point.ts';
import type { Lab, Measure } from '../lab.ts';
import { readSaid, type Said } from '../read-said.ts';
import type { SaidRef } from '../said.ts';
import { measureAmbiguity, type AmbiguityOf } from './ambiguous.ts';

export interface MistakesJob {
  runs: SaidRef[];
  /** Positions in `runs`, the earlier first. */
  pairs: [number, number][];
  /** Pretrained arms beside random ones: whose uncommon mistakes are looked at. */
  contrasts: { pretrained: string; random: string }[];
  groups: number[] | null;
  replicates: number;
  falsePositiveRate: number;
  wall: number;
}

export interface Measured {
  /** Classes, or findings. */
  names: string[];
  images: number;
  findings: boolean;
  /** In the order of the job; with findings means over them. */
  pairs: PairMistakes[];
  /** Positions of runs, like beside like; kappa of [run, run]. */
  order: number[];
  kappa: number[][];
  /** Single-label: by contrast. */
  ambiguity: AmbiguityOf[];
}

export interface PairMistakes extends Omit<Mistakes, 'jaccard'> {
  jaccard: number | null;
  /** By class or finding; null where it has no images. */
  parts: (Mistakes | null)[];
}

/** Rows of images that a class or finding is judged on, and whether a run is right there. */
interface Judged {
  /** Single-label: over all images. */
  whole: Uint8Array | null;
  parts: Uint8Array[];
}

export const measure: Measure<MistakesJob, Measured> = async (job, lab) => {
  const said = job.runs.map((ref, at) => {
    lab.tell('reading predictions', at, job.runs.length, 'runs');
    return readSaid(lab, ref, 'test');
  });
  const judged = said.map((own, at) => judge(own, job, job.runs[at]!, lab));
  const pairs = job.pairs.map(([a, b]) => ofPair(judged[a]!, judged[b]!));
  const kappa = matrix(job, pairs);
  const n = job.runs.length;
  const distances = kappa.flatMap((row) => row.map((value) => 1 - value));
  const isSingle = said[0]!.told !== null;
  return {
    names: said[0]!.classNames,
    images: said[0]!.images,
    findings: !isSingle,
    pairs,
    order: leafOrder(averageLinkage(distances, n)),
    kappa,
    ambiguity: isSingle ? await measureAmbiguity(job, said, lab) : [],
  };
};

function judge(said: Said, job: MistakesJob, ref: SaidRef, lab: Lab): Judged {
  const { told, classNames } = said;
  if (told === null) {
    const train = readSaid(lab, ref, 'train');
    return { whole: null, parts: classNames.map((_, c) => judgeFinding(said, train, c, job)) };
  }
  const whole = Uint8Array.from(told.truth, (c, at) => (told.predicted[at] === c ? 1 : 0));
  const parts = classNames.map((_, c) => whole.filter((_, at) => told.truth[at] === c));
  return { whole, parts };
}

/** A finding is called present at the threshold that its negatives on the training side give. */
function judgeFinding(
  said: Said,
  train: Said,
  finding: number,
  { falsePositiveRate }: MistakesJob,
): Uint8Array {
  const known = ofFinding(train, finding);
  const threshold = thresholdAtFalsePositiveRate(known.scores, known.truth, falsePositiveRate);
  const { scores, truth } = ofFinding(said, finding);
  return Uint8Array.from(scores, (score, at) =>
    (threshold !== null && score >= threshold ? 1 : 0) === truth[at] ? 1 : 0,
  );
}

/** Where the finding is known. */
function ofFinding({ logits, findings, classNames, images }: Said, finding: number) {
  const [scores, truth]: [number[], number[]] = [[], []];
  for (let image = 0; image < images; image++) {
    const at = image * classNames.length + finding;
    if (findings!.mask[at] === 0) continue;
    scores.push(logits[at]!);
    truth.push(findings!.targets[at]!);
  }
  return { scores, truth };
}

function ofPair(a: Judged, b: Judged): PairMistakes {
  const parts = a.parts.map((own, at) => (own.length === 0 ? null : mistakes(own, b.parts[at]!)));
  if (a.whole && b.whole) return { ...mistakes(a.whole, b.whole), parts };
  const known = parts.filter((part) => part !== null);
  const mean = (of: (part: Mistakes) => number | null) => {
    const values = known.flatMap((part) => of(part) ?? []);
    return values.length === 0
      ? null
      : values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  return {
    images: known.reduce((most, { images }) => Math.max(most, images), 0),
    common: mean(({ common }) => common) ?? 0,
    onlyA: mean(({ onlyA }) => onlyA) ?? 0,
    onlyB: mean(({ onlyB }) => onlyB) ?? 0,
    kappa: mean(({ kappa }) => kappa) ?? 1,
    jaccard: mean(({ jaccard }) => jaccard),
    parts,
  };
}

function matrix({ runs, pairs }: MistakesJob, found: readonly PairMistakes[]): number[][] {
  const kappa = runs.map((_, row) => runs.map((__, column): number => (row === column ? 1 : 0)));
  for (const [at, [a, b]] of pairs.entries()) {
    kappa[a]![b] = found[at]!.kappa;
    kappa[b]![a] = found[at]!.kappa;
  }
  return kappa;
}
