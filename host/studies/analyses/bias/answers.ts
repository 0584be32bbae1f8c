/** What a run answered on some of the images, as numbers of it are computed for many draws. */
import { rocAucInOrder } from '../../../../engine/analysis/auc.ts';
import { ascending, inOrder } from '../../../../engine/analysis/calibration.ts';
import { sigmoid, type Said } from '../read-said.ts';

/** Bins of the calibration error: fewer than of whole sets, since subgroups are small. */
const BINS = 10;

/** One entry per image, or per known finding of an image; arrays are parallel. */
export interface Answers {
  image: Int32Array;
  /** Class -1, or the finding. */
  finding: Int32Array;
  /** Whether the answer is right; findings at probability 1/2. */
  right: Uint8Array;
  /** Probability of the predicted class, or of the finding. */
  stated: Float64Array;
  /** Whether what was stated came true: `right`, or the finding. */
  came: Uint8Array;
  /** Entries by rising `stated`. */
  order: Int32Array;
  findings: number;
}

export function answersOf({ told, findings, logits, classNames, images }: Said): Answers {
  const classes = classNames.length;
  if (told) {
    const right = Uint8Array.from(told.truth, (c, at) => (told.predicted[at] === c ? 1 : 0));
    const stated = Float64Array.from(
      told.predicted,
      (c, at) => told.probabilities[at * classes + c]!,
    );
    const image = Int32Array.from(right.keys());
    return {
      image,
      finding: image.map(() => -1),
      right,
      stated,
      came: right,
      findings: 0,
      order: ascending(stated),
    };
  }
  const { targets, mask } = findings!;
  const known = Int32Array.from({ length: images * classes }, (_, at) => at).filter(
    (at) => mask[at] !== 0,
  );
  const probability = sigmoid(logits);
  const stated = Float64Array.from(known, (at) => probability[at]!);
  const came = Uint8Array.from(known, (at) => targets[at]!);
  return {
    image: known.map((at) => Math.floor(at / classes)),
    finding: known.map((at) => at % classes),
    right: Uint8Array.from(known, (at) => (logits[at]! > 0 === (targets[at] === 1) ? 1 : 0)),
    ...{ stated, came, findings: classes, order: ascending(stated) },
  };
}

/** The answers on some of the images, by their positions. */
export function within(answers: Answers, positions: readonly number[]): Answers {
  const chosen = new Set(positions);
  const kept = Int32Array.from(answers.image.keys()).filter((at) => chosen.has(answers.image[at]!));
  const stated = Float64Array.from(kept, (at) => answers.stated[at]!);
  return {
    image: kept.map((at) => answers.image[at]!),
    finding: kept.map((at) => answers.finding[at]!),
    right: Uint8Array.from(kept, (at) => answers.right[at]!),
    came: Uint8Array.from(kept, (at) => answers.came[at]!),
    ...{ stated, findings: answers.findings, order: ascending(stated) },
  };
}

/** Accuracy, or the mean area of the findings that have both values; null where not defined. */
export function scoreOf(answers: Answers, times: Int32Array): number | null {
  if (answers.findings > 0) return meanArea(answers, times);
  let [right, count] = [0, 0];
  for (let at = 0; at < answers.image.length; at++) {
    const drawn = times[answers.image[at]!]!;
    right += drawn * answers.right[at]!;
    count += drawn;
  }
  return count === 0 ? null : right / count;
}

function meanArea(answers: Answers, times: Int32Array): number | null {
  const { order, finding, stated, came, image, findings } = answers;
  const drawn = image.map((each) => times[each]!);
  let [sum, defined] = [0, 0];
  for (let f = 0; f < findings; f++) {
    const own = order.filter((at) => finding[at] === f);
    const area = rocAucInOrder(own, stated, came, drawn);
    if (area === null) continue;
    sum += area;
    defined += 1;
  }
  return defined === 0 ? null : sum / defined;
}

/** Debiased calibration error; null without two answers. */
export function eceOf({ order, stated, came, image }: Answers, times: Int32Array): number | null {
  const drawn = image.map((each) => times[each]!);
  return inOrder(order, stated, came, BINS, drawn)?.debiased ?? null;
}

/** Error consistency of two runs on the same answers; null without any. */
export function agreementOf(a: Answers, b: Answers, times: Int32Array): number | null {
  let [count, rightA, rightB, same] = [0, 0, 0, 0];
  for (let at = 0; at < a.image.length; at++) {
    const drawn = times[a.image[at]!]!;
    count += drawn;
    rightA += drawn * a.right[at]!;
    rightB += drawn * b.right[at]!;
    if (a.right[at] === b.right[at]) same += drawn;
  }
  if (count === 0) return null;
  if (same === count) return 1;
  const expected = (rightA * rightB + (count - rightA) * (count - rightB)) / (count * count);
  return (same / count - expected) / (1 - expected);
}
