import { z } from 'zod';
import type { Preprocessing } from '../../contract/checkpoints.ts';

/** Keys of the metadata that our exports (safetensors and ONNX) carry; each value is JSON. */
export const METADATA_KEYS = {
  /** A `Preprocessing`. */
  preprocessing: 'carryover.preprocessing',
  /** Class names in the order of the head's outputs. */
  classes: 'carryover.classes',
  /** An `ArchitectureSpec`. */
  architecture: 'carryover.architecture',
  /** What running statistics were made anew from and on. */
  recalibrated: 'carryover.recalibrated',
} as const;

/** For files that do not say how images were fed. */
export const UNKNOWN_PREPROCESSING: Readonly<Preprocessing> = {
  size: null,
  mean: null,
  std: null,
  interpolation: null,
  crop: null,
};

/** What a file says beside its tensors. */
export interface Told {
  classNames: string[] | null;
  preprocessing: Preprocessing;
  warnings: string[];
}

const triple = z.tuple([z.number(), z.number(), z.number()]);
const preprocessingSchema = z.object({
  size: z.int().positive().nullable(),
  mean: triple.nullable(),
  std: triple.nullable(),
  interpolation: z.enum(['bilinear', 'bicubic']).nullable(),
  crop: z.number().positive().nullable(),
});

/** What the metadata of our own exports says; nothing for other files. */
export function toldByMetadata(metadata: Readonly<Record<string, string>>): Told {
  const warnings: string[] = [];
  const take = <T>(key: string, schema: z.ZodType<T>): T | null => {
    const text = metadata[key];
    if (text === undefined) return null;
    const parsed = schema.safeParse(parsedJson(text));
    if (!parsed.success)
      warnings.push(`its metadata "${key}" was not understood, so it is left out`);
    return parsed.data ?? null;
  };
  return {
    preprocessing: take(METADATA_KEYS.preprocessing, preprocessingSchema) ?? {
      ...UNKNOWN_PREPROCESSING,
    },
    classNames: take(METADATA_KEYS.classes, z.array(z.string()).nullable()),
    warnings,
  };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
