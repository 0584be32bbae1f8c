/** What runs said about the images, for analyses that need no network: read in the child. */
import { argmaxRows, softmaxRows } from '../../../engine/analysis/metrics.ts';
import { maskedTargets } from '../../../engine/train/uncertain.ts';
import { readLogitsFile } from '../logits-file.ts';
import type { Lab } from './lab.ts';
import type { SaidRef } from './said.ts';

/** One run on the images of a split. */
export interface Said {
  images: number;
  classNames: string[];
  logits: Float32Array;
  /** Single-label: what is true, and what was told; null with findings. */
  told: Told | null;
  /** Multi-label: [image, finding]; null without findings. */
  findings: { targets: Float32Array; mask: Float32Array } | null;
}

export interface Told {
  truth: Int32Array;
  predicted: Int32Array;
  /** [image, class]. */
  probabilities: Float32Array;
}

export function readSaid(
  lab: Pick<Lab, 'job' | 'file'>,
  ref: SaidRef,
  split: 'train' | 'test',
): Said {
  const { classNames, ...job } = lab.job(ref.run);
  const items = job[split];
  const images = items?.imageIds.length ?? 0;
  const classes = classNames.length;
  const logits = readLogitsFile(lab.file(ref.run, ref[split]), images * classes);
  const findings = items?.findings ? maskedTargets(items.findings, classes) : null;
  const told = findings
    ? null
    : {
        truth: Int32Array.from(items?.labels ?? []),
        predicted: argmaxRows(logits, classes),
        probabilities: softmaxRows(logits, classes),
      };
  return { images, classNames, logits, told, findings };
}

/** Probability that each finding is present. */
export function sigmoid(logits: Float32Array): Float32Array {
  return logits.map((value) => 1 / (1 + Math.exp(-value)));
}
