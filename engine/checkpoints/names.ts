import type { RawTensor } from '../formats/weights.ts';

/** Put before every name by DataParallel, Lightning, torch.compile, detectors and our own habits. */
const PREFIX = /^(?:module|model|backbone|body|encoder|net|network|state_dict|_orig_mod)\./;

/** What BatchNorm counts and nothing uses. */
const COUNTER = /(?:^|\.)num_batches_tracked$/;

/** DenseNet as torchvision wrote it before 0.4: `denselayer1.norm.1.weight`. */
const OLD_DENSENET = /^(.*denselayer\d+\.(?:norm|conv))\.([12]\.\w+)$/;

/** A tensor of a file under the name that an architecture would give it. */
export interface NamedTensor {
  /** Its name in the file. */
  from: string;
  /** What was done to bring it into our layout; null for a copy. */
  how: string | null;
  tensor: RawTensor;
}

/**
 * The tensors of a file by cleaned name: prefixes of wrappers taken off, DenseNet's old keys
 * modernised, BatchNorm's counters and single numbers (constants of a graph) left out. Of two that would get one name, the second keeps its own.
 */
export function cleanNames(tensors: ReadonlyMap<string, RawTensor>): Map<string, NamedTensor> {
  const cleaned = new Map<string, NamedTensor>();
  for (const [from, tensor] of tensors) {
    if (COUNTER.test(from) || tensor.shape.length === 0) continue;
    const name = cleanName(from);
    cleaned.set(cleaned.has(name) ? from : name, { from, how: null, tensor });
  }
  return cleaned;
}

function cleanName(name: string): string {
  let rest = name;
  while (PREFIX.test(rest)) rest = rest.replace(PREFIX, '');
  return rest.replace(OLD_DENSENET, '$1$2');
}
