import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Preprocessing } from '../../contract/checkpoints.ts';
import { fileBytes } from './bytes.ts';
import { UNKNOWN_PREPROCESSING } from './told.ts';

/** What timm's config.json beside a file of weights says. */
export interface TimmConfig {
  metadata: Record<string, string>;
  classNames: string[] | null;
  preprocessing: Preprocessing;
}

const MAX_CONFIG = 2 ** 24;

/** Channels' values: three, or one for grey images. */
const perChannel = z
  .union([z.tuple([z.number()]), z.tuple([z.number(), z.number(), z.number()])])
  .transform((values): [number, number, number] => {
    return values.length === 3 ? values : [values[0], values[0], values[0]];
  });
const names = z.array(z.string()).min(1);
const configSchema = z.object({
  architecture: z.string().optional().catch(undefined),
  label_names: names.optional().catch(undefined),
  pretrained_cfg: z.object({
    tag: z.string().optional().catch(undefined),
    mean: perChannel.nullable().catch(null),
    std: perChannel.nullable().catch(null),
    input_size: z.tuple([z.int(), z.int().positive(), z.int()]).nullable().catch(null),
    crop_pct: z.number().positive().nullable().catch(null),
    interpolation: z.enum(['bilinear', 'bicubic']).nullable().catch(null),
    label_names: names.optional().catch(undefined),
  }),
});

/**
 * Reads the config.json that timm (pytorch-image-models, `push_to_hf_hub`) puts beside
 * model.safetensors. Null where there is none, or another program's.
 */
export function readTimmConfig(weightsFile: string): TimmConfig | null {
  const path = join(dirname(weightsFile), 'config.json');
  if (!existsSync(path)) return null;
  const source = fileBytes(path);
  const parsed = configSchema.safeParse(
    parsedJson(source.read(0, Math.min(source.size, MAX_CONFIG))),
  );
  if (!parsed.success) return null;
  const { architecture, label_names, pretrained_cfg: config } = parsed.data;
  const { mean, std, interpolation, crop_pct, input_size, tag } = config;
  return {
    metadata: {
      ...(architecture === undefined ? {} : { 'timm.architecture': architecture }),
      ...(tag === undefined ? {} : { 'timm.tag': tag }),
    },
    classNames: label_names ?? config.label_names ?? null,
    preprocessing: {
      ...UNKNOWN_PREPROCESSING,
      size: input_size?.[1] ?? null,
      crop: crop_pct,
      mean,
      std,
      interpolation,
    },
  };
}

function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
