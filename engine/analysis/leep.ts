/** Transferability from the source head's outputs on target images. */

/**
 * LEEP (Nguyen et al. 2020, arXiv 2002.12462, Eq. 2): mean log of sum_z P(y | z) theta(x)_z, where
 * theta(x) are the source head's probabilities and P(y | z) = P(y, z) / P(z) is estimated by them on
 * the same images. Never above 0; higher: easier to transfer. Source classes that no image has any
 * probability of count for nothing.
 * @param probabilities [image, source class], each row's sum 1
 * @param labels target class of each image
 * @param times how often each image counts; absent: once
 */
export function leep(
  probabilities: ArrayLike<number>,
  sourceClasses: number,
  labels: Int32Array,
  classes: number,
  times?: ArrayLike<number>,
): number {
  const { joint, marginal, total } = jointOf(probabilities, sourceClasses, labels, classes, times);
  let sum = 0;
  for (let row = 0; row < labels.length; row++) {
    const weight = times?.[row] ?? 1;
    if (weight === 0) continue;
    let expected = 0;
    for (let z = 0; z < sourceClasses; z++) {
      if (marginal[z] === 0) continue;
      const p = probabilities[row * sourceClasses + z]!;
      expected += (joint[labels[row]! * sourceClasses + z]! / marginal[z]!) * p;
    }
    sum += weight * Math.log(expected);
  }
  return sum / total;
}

/**
 * Negative conditional entropy (Tran, Nguyen and Hassner 2019, arXiv 1908.08142): minus H(Y | Z) of the
 * target labels given the source head's most likely class. Never above 0; higher: easier to transfer.
 * @param sourceLabels of each image
 * @param times how often each image counts; absent: once
 */
export function negativeConditionalEntropy(
  sourceLabels: Int32Array,
  sourceClasses: number,
  labels: Int32Array,
  classes: number,
  times?: ArrayLike<number>,
): number {
  const hard = new Float32Array(labels.length * sourceClasses);
  sourceLabels.forEach((label, row) => (hard[row * sourceClasses + label] = 1));
  const { joint, marginal, total } = jointOf(hard, sourceClasses, labels, classes, times);
  let sum = 0;
  for (let y = 0; y < classes; y++) {
    for (let z = 0; z < sourceClasses; z++) {
      const together = joint[y * sourceClasses + z]!;
      if (together > 0) sum += (together / total) * Math.log(together / marginal[z]!);
    }
  }
  return sum;
}

/** Sums of probabilities: joint [target class, source class] and of each source class. */
function jointOf(
  probabilities: ArrayLike<number>,
  sourceClasses: number,
  labels: Int32Array,
  classes: number,
  times?: ArrayLike<number>,
) {
  const joint = new Float64Array(classes * sourceClasses);
  const marginal = new Float64Array(sourceClasses);
  let total = 0;
  for (let row = 0; row < labels.length; row++) {
    const weight = times?.[row] ?? 1;
    total += weight;
    for (let z = 0; z < sourceClasses; z++) {
      const p = weight * probabilities[row * sourceClasses + z]!;
      joint[labels[row]! * sourceClasses + z]! += p;
      marginal[z]! += p;
    }
  }
  return { joint, marginal, total };
}
