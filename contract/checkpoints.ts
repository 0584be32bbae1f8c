/** Checkpoints that users bring: weights plus how to feed them. */
import { z } from 'zod';
import type { ArchitectureSpec } from './architecture.ts';

export const WEIGHT_FORMATS = [
  'safetensors',
  'pytorch-zip',
  'pytorch-legacy',
  'tfjs-layers',
  'keras-h5',
  'keras-zip',
  'onnx',
] as const;
export type WeightFormat = (typeof WEIGHT_FORMATS)[number];

/** How images were fed to the network when its weights were made; null where the file does not say. */
export interface Preprocessing {
  /** Side in pixels that the weights were trained at. */
  size: number | null;
  mean: [number, number, number] | null;
  std: [number, number, number] | null;
  interpolation: 'bilinear' | 'bicubic' | null;
  /** Size / side of the resized image before its centre is cut out. */
  crop: number | null;
}

const triple = <T extends z.ZodType>(each: T) => z.tuple([each, each, each]);

/** The values of a `Preprocessing` that can be used; every number is finite. */
export const preprocessingSchema = z.strictObject({
  size: z.int().positive(),
  mean: triple(z.number()),
  std: triple(z.number().positive()),
  interpolation: z.enum(['bilinear', 'bicubic']),
  crop: z.number().positive().max(1),
});

export interface TensorSummary {
  name: string;
  shape: number[];
  /** As the file names it: F32, F16, uint8 x scale ... */
  dtype: string;
}

/** What a weights file holds, before anything is asked of it. */
export interface WeightsReport {
  file: string;
  format: WeightFormat;
  bytes: number;
  sha256: string;
  tensors: TensorSummary[];
  /** The file's own words: key and text. */
  metadata: Record<string, string>;
  classNames: string[] | null;
  preprocessing: Preprocessing;
  /** The architecture that fits best; null when none does. */
  match: MatchReport | null;
  /** Why the numbers that matched cannot be used, naming their tensor; null when all are finite. */
  unusable: string | null;
  warnings: string[];
}

/** How a file's tensors meet an architecture's. */
export interface MatchReport {
  architecture: ArchitectureSpec;
  /** Classes of the file's head; null when it has none. */
  classes: number | null;
  /** `from` in the file, `to` in the architecture; `how` where more than a copy is done. */
  matched: { from: string; to: string; shape: number[]; how: string | null }[];
  missing: { name: string; shape: number[] }[];
  unexpected: { name: string; shape: number[] }[];
  wrongShape: { name: string; found: number[]; needed: number[] }[];
  /** Tensors that will be drawn anew, and why. */
  reinitialised: { name: string; why: string }[];
  /**
   * True when every tensor but a re-initialised head is matched, none is left over and all numbers
   * are finite.
   */
  strict: boolean;
}

export interface CheckpointSummary {
  id: string;
  name: string;
  format: WeightFormat;
  /** Where the file was when it was imported, or what was recalibrated on what. */
  source: string;
  architecture: ArchitectureSpec;
  classNames: string[] | null;
  classes: number | null;
  preprocessing: Preprocessing;
  parameters: number;
  bytes: number;
  sha256: string;
  licence: string | null;
  createdAt: string;
}

export interface CheckpointDetail extends CheckpointSummary {
  report: WeightsReport;
  /** Studies that start from it. */
  studies: { id: string; name: string }[];
}

/** A known source of weights; a file is fetched on a click only. */
export interface ZooEntry {
  id: string;
  title: string;
  architecture: ArchitectureSpec['name'];
  /** What it was trained on. */
  data: string;
  url: string;
  page: string;
  bytes: number | null;
  licence: string;
  /** Published hash of the file (or its first digits, as in torchvision's file names). */
  sha256: string | null;
  preprocessing: Preprocessing;
  /** Why this file cannot be imported as it is, and what to do about it; null where it can. */
  obstacle: { why: string; wayOut: string } | null;
  /** Set once it was imported. */
  checkpointId: string | null;
}
