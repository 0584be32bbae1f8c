/** How clear or ambiguous images are to networks. */
import { CarryoverError } from '../../contract/errors.ts';

export interface Ambiguity {
  /** Mean over the networks of the largest probability, per image: 1 is clear. */
  confidence: Float64Array;
  /**
   * Entropy of the mean of the networks' probabilities (predictive entropy, as of an ensemble:
   * Lakshminarayanan et al. 2017, arXiv 1612.01474), divided by that of all classes alike: 0 is
   * clear, 1 is no idea.
   */
  entropy: Float64Array;
}

/**
 * Ambiguity of images to several networks.
 * @param probabilities [network][image, class], at least one network
 * @param classes at least 2
 */
export function ambiguity(probabilities: readonly Float32Array[], classes: number): Ambiguity {
  const [first] = probabilities;
  if (first === undefined || probabilities.some(({ length }) => length !== first.length)) {
    throw new CarryoverError('bad-input', 'ambiguity needs networks on the same images');
  }
  const images = first.length / classes;
  const confidence = new Float64Array(images);
  const entropy = new Float64Array(images);
  for (let image = 0; image < images; image++) {
    for (let c = 0; c < classes; c++) {
      let sum = 0;
      for (const own of probabilities) sum += own[image * classes + c]!;
      const p = sum / probabilities.length;
      if (p > 0) entropy[image]! -= p * Math.log(p);
    }
    entropy[image]! /= Math.log(classes);
    for (const own of probabilities) {
      let most = 0;
      for (let c = 0; c < classes; c++) most = Math.max(most, own[image * classes + c]!);
      confidence[image]! += most / probabilities.length;
    }
  }
  return { confidence, entropy };
}
