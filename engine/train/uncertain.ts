import { CarryoverError } from '../../contract/errors.ts';

/**
 * What an uncertain label (-1) is trained as (Irvin et al., CheXpert, arXiv 1901.07031): not at
 * all, as negative, or as positive.
 */
export type UncertainPolicy = 'ignore' | 'zeros' | 'ones';

/** A label as CheXpert writes it: positive, negative, uncertain, not mentioned. */
export type Finding = 1 | 0 | -1 | null;

/** Reads a cell of CheXpert's tables: `1.0`, `0.0`, `-1.0` or blank. @throws bad-input for others */
export function parseFinding(cell: string): Finding {
  const text = cell.trim();
  if (text === '') return null;
  const value = Number(text);
  if (value === 1 || value === 0 || value === -1) return value;
  throw new CarryoverError('bad-input', `"${cell}" is not a label`, {
    value: cell,
    wayOut: 'labels are 1 (positive), 0 (negative), -1 (uncertain) or blank (not mentioned)',
  });
}

/**
 * Targets and mask of `sigmoidCrossEntropy`. What a report does not mention (null) is negative,
 * CheXpert's convention.
 * @param findings [example][label]
 * @param policies by label
 * @returns both [example, label]
 * @throws CarryoverError `bad-input` when an example does not have one finding per label
 */
export function uncertainTargets(
  findings: readonly (readonly Finding[])[],
  policies: readonly UncertainPolicy[],
): { targets: Float32Array; mask: Float32Array } {
  const labels = policies.length;
  const targets = new Float32Array(findings.length * labels);
  const mask = new Float32Array(findings.length * labels).fill(1);
  findings.forEach((row, example) => {
    if (row.length !== labels) {
      throw new CarryoverError(
        'bad-input',
        `example ${example} has ${row.length} findings, not ${labels}`,
      );
    }
    row.forEach((finding, label) => {
      const at = example * labels + label;
      const policy = policies[label];
      if (finding === -1 && policy === 'ignore') mask[at] = 0;
      targets[at] = finding === 1 || (finding === -1 && policy === 'ones') ? 1 : 0;
    });
  });
  return { targets, mask };
}
