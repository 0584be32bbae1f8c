/** Which images two networks disagree on, by what they said when they were trained. */
import { argmaxRows, softmaxRows } from '../../../../engine/analysis/metrics.ts';
import { stream } from '../../../../engine/random/streams.ts';
import type { RunLogits } from '../../predictions.ts';
import type { Disagreement, Side } from './measured.ts';
import { SIDES } from './measured.ts';

/** More are not measured: they are drawn down. */
const MOST = 200;

/**
 * The images that exactly one of two networks is right about, at most 200, drawn by
 * `stream(0, 'disagreements')`, in the order of the images. With findings: an image counts for each
 * finding that it has and that exactly one of them sees at probability 1/2.
 */
export function disagreementsOf(a: RunLogits, b: RunLogits): Disagreement[] {
  const found = a.items.findings ? ofFindings(a, b) : ofClasses(a, b);
  if (found.length <= MOST) return found;
  const drawn = stream(0, 'disagreements').permutation(found.length).subarray(0, MOST);
  return Array.from(drawn)
    .sort((x, y) => x - y)
    .map((at) => found[at]!);
}

function ofClasses(a: RunLogits, b: RunLogits): Disagreement[] {
  const classes = a.classNames.length;
  const of = <T>(made: (logits: Float32Array) => T): Record<Side, T> => ({
    a: made(a.logits),
    b: made(b.logits),
  });
  const said = of((logits) => argmaxRows(logits, classes));
  const shares = of((logits) => softmaxRows(logits, classes));
  return a.items.labels.flatMap((truth, row) => {
    const answers = { a: said.a[row]!, b: said.b[row]! };
    const right = rightOf(answers, truth);
    if (right === null) return [];
    const at = row * classes + truth;
    const confidence = { a: shares.a[at]!, b: shares.b[at]! };
    return [{ row, truth, right, said: answers, confidence }];
  });
}

function ofFindings(a: RunLogits, b: RunLogits): Disagreement[] {
  const findings = a.classNames.length;
  return (a.items.findings ?? []).flatMap((targets, row) =>
    targets.flatMap((target, truth) => {
      const at = row * findings + truth;
      const confidence = { a: sigmoid(a.logits[at]!), b: sigmoid(b.logits[at]!) };
      const said = { a: Number(a.logits[at]! > 0), b: Number(b.logits[at]! > 0) };
      const right = target === 1 ? rightOf(said, 1) : null;
      return right === null ? [] : [{ row, truth, right, said, confidence }];
    }),
  );
}

function rightOf(said: Record<Side, number>, truth: number): Side | null {
  const right = SIDES.filter((side) => said[side] === truth);
  return right.length === 1 ? right[0]! : null;
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

/**
 * Of each kind the clearest: those in which the one that is right gives most to the truth beyond
 * what the other does. Half of `most` of either kind, or more of one where the other has fewer.
 * @returns positions in `found`, those that `a` is right about first
 */
export function clearest(found: readonly Disagreement[], most: number): number[] {
  const margin = ({ right, confidence: { a, b } }: Disagreement) => (right === 'a' ? a - b : b - a);
  const [first, second] = SIDES.map((side) =>
    found
      .flatMap(({ right }, at) => (right === side ? [at] : []))
      .sort((x, y) => margin(found[y]!) - margin(found[x]!) || x - y),
  ) as [number[], number[]];
  const half = Math.ceil(most / 2);
  const many = Math.min(first.length, Math.max(half, most - second.length));
  return [...first.slice(0, many), ...second.slice(0, most - many)];
}
