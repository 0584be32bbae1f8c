/** What studies learn of images with several findings. */
import { z } from 'zod';

/** What an uncertain finding counts as (CheXpert: Irvin et al., arXiv 1901.07031). */
const uncertainty = z.enum(['ignore', 'zeros', 'ones']);
export type Uncertainty = z.infer<typeof uncertainty>;

/** What is learnt of a multi-label data set. */
export const findingsSchema = z.strictObject({
  /** Absent: all of the data set. */
  names: z.array(z.string().min(1)).min(1).optional(),
  /** For all findings, or by finding (`default` for the others). */
  uncertain: z.union([uncertainty, z.record(z.string(), uncertainty)]).default('ignore'),
  /** What a finding that is not mentioned counts as. */
  blank: z.enum(['zeros', 'ignore']).default('zeros'),
});
export type Findings = z.infer<typeof findingsSchema>;
