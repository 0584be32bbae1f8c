import type { Preprocessing, WeightFormat } from '../../contract/checkpoints.ts';

/** A tensor of a weights file as the file has it; its values are fetched when they are asked for. */
export interface RawTensor {
  shape: number[];
  /** As the file's format names it: F32, float16, HalfStorage ... */
  dtype: string;
  /**
   * The values, row by row, as float32 (integers and float64 are rounded to it). Every call reads
   * the file anew, and the result belongs to the caller.
   */
  read(): Float32Array;
}

/** What a weights file says about itself, in the file's own names. */
export interface RawWeights {
  format: WeightFormat;
  /** In the file's order. */
  tensors: Map<string, RawTensor>;
  metadata: Record<string, string>;
  classNames: string[] | null;
  preprocessing: Preprocessing;
  /** What a user should know before trusting the weights. */
  warnings: string[];
}

/** Keys of the metadata that our exports (safetensors and ONNX) carry; each value is JSON. */
export const METADATA_KEYS = {
  /** A `Preprocessing`. */
  preprocessing: 'carryover.preprocessing',
  /** Class names in the order of the head's outputs. */
  classes: 'carryover.classes',
  /** An `ArchitectureSpec`. */
  architecture: 'carryover.architecture',
} as const;

/** For files that do not say how images were fed. */
export const UNKNOWN_PREPROCESSING: Readonly<Preprocessing> = {
  size: null,
  mean: null,
  std: null,
  interpolation: null,
  crop: null,
};
