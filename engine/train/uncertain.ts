import { CarryoverError } from '../../contract/errors.ts';
import type { Findings, Uncertainty } from '../../contract/findings.ts';

/** A label as CheXpert writes it: positive, negative, uncertain, not mentioned. */
export type Finding = 1 | 0 | -1 | null;

/** What a finding is trained and scored as; null: not at all. */
export type FindingTarget = 1 | 0 | null;

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
 * What a finding counts as. Uncertain ones (Irvin et al., CheXpert, arXiv 1901.07031): not at all
 * (U-Ignore), as negative (U-Zeros) or as positive (U-Ones). What a report does not mention is
 * negative by CheXpert's convention, or left out.
 */
export function findingTarget(
  finding: Finding,
  uncertain: Uncertainty,
  blank: Findings['blank'],
): FindingTarget {
  if (finding === null) return blank === 'zeros' ? 0 : null;
  if (finding !== -1) return finding;
  if (uncertain === 'ignore') return null;
  return uncertain === 'ones' ? 1 : 0;
}

/**
 * Targets and mask of `sigmoidCrossEntropy`.
 * @param rows [example][label]
 * @param labels how many a row has
 * @returns both [example, label]
 * @throws CarryoverError `bad-input` when an example has more or fewer
 */
export function maskedTargets(
  rows: readonly (readonly FindingTarget[])[],
  labels: number,
): { targets: Float32Array; mask: Float32Array } {
  const targets = new Float32Array(rows.length * labels);
  const mask = new Float32Array(rows.length * labels);
  rows.forEach((row, example) => {
    if (row.length !== labels) {
      throw new CarryoverError(
        'bad-input',
        `example ${example} has ${row.length} findings, not ${labels}`,
      );
    }
    row.forEach((target, label) => {
      targets[example * labels + label] = target ?? 0;
      mask[example * labels + label] = target === null ? 0 : 1;
    });
  });
  return { targets, mask };
}
