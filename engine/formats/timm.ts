import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { fileBytes } from './bytes.ts';
import type { Told } from './told.ts';
import { usablePreprocessing } from './told.ts';

/** What timm's config.json beside a file of weights says. */
export interface TimmConfig extends Told {
  metadata: Record<string, string>;
}

const MAX_CONFIG = 2 ** 24;

const names = z.array(z.string()).min(1);
const configSchema = z.object({
  architecture: z.string().optional().catch(undefined),
  label_names: names.optional().catch(undefined),
  pretrained_cfg: z.object({
    tag: z.string().optional().catch(undefined),
    mean: z.unknown(),
    std: z.unknown(),
    input_size: z.unknown(),
    crop_pct: z.unknown(),
    interpolation: z.unknown(),
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
    ...usablePreprocessing(
      {
        size: Array.isArray(input_size) ? input_size[1] : input_size,
        mean: forEachChannel(mean),
        std: forEachChannel(std),
        interpolation,
        crop: crop_pct,
      },
      'config.json beside it',
    ),
  };
}

/** Channels' values: three, or one for grey images. */
function forEachChannel(value: unknown): unknown {
  const isGrey = Array.isArray(value) && value.length === 1;
  return isGrey ? [value[0], value[0], value[0]] : value;
}

function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
