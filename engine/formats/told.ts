import { z } from 'zod';
import type { Preprocessing } from '../../contract/checkpoints.ts';
import { preprocessingSchema } from '../../contract/checkpoints.ts';

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

/**
 * The values of `given` that can be used; of the others but null and undefined a warning says what
 * they were. `where` is what the warnings call their place.
 */
export function usablePreprocessing(
  given: Readonly<Record<string, unknown>>,
  where: string,
): Pick<Told, 'preprocessing' | 'warnings'> {
  const warnings: string[] = [];
  const usable = Object.keys(UNKNOWN_PREPROCESSING).flatMap((key) => {
    const value = given[key] ?? null;
    const fits = preprocessingSchema.partial().safeParse({ [key]: value }).success;
    if (fits) return [[key, value] as const];
    if (value !== null) {
      const text = JSON.stringify(value);
      warnings.push(`${where} says ${key} ${text}, which cannot be used, so it is left out`);
    }
    return [];
  });
  return { preprocessing: { ...UNKNOWN_PREPROCESSING, ...Object.fromEntries(usable) }, warnings };
}

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
  const given = take(METADATA_KEYS.preprocessing, z.record(z.string(), z.unknown()).nullable());
  const fed = usablePreprocessing(given ?? {}, `its metadata "${METADATA_KEYS.preprocessing}"`);
  const classNames = take(METADATA_KEYS.classes, z.array(z.string()).nullable());
  return { preprocessing: fed.preprocessing, classNames, warnings: [...warnings, ...fed.warnings] };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
