import type { ArchitectureName, ArchitectureSpec } from '../../contract/architecture.ts';
import type { KerasLayer, KerasWeights } from '../formats/keras-topology.ts';
import { flatLayers } from '../formats/keras-topology.ts';
import type { RawTensor, RawWeights } from '../formats/weights.ts';
import type { KerasNetwork } from './keras-networks.ts';
import { KERAS_FOREIGNERS, KERAS_NETWORKS } from './keras-networks.ts';
import { permuted } from './keras-permute.ts';

/** Weights of a Keras graph under the names and in the layouts of one of our architectures. */
export interface TorchNamed extends RawWeights {
  architecture: ArchitectureName;
  dialect: ArchitectureSpec['dialect'];
  /**
   * By new name: the name in the file, and what was done beyond a copy. Tensors that have no place
   * in the architecture keep their name and are not here.
   */
  origins: Map<string, { from: string; how: string }>;
}

interface Place {
  from: string;
  tensor: RawTensor;
  /** As in the file, prefixes of outer models taken off, '/' written '_'. */
  layer: string;
  /** kernel, gamma ... */
  role: string;
}

const KERAS_FORMATS = new Set<RawWeights['format']>(['tfjs-layers', 'keras-h5', 'keras-zip']);

/** A network is taken for what most of its layers are named after. */
const LEAST_SHARE = 0.5;

/**
 * Weights of a Keras or TensorFlow.js model under our names: kernels HWIO -> OIHW, depthwise HWC1
 * -> C1HW, dense [in, out] -> [out, in], BatchNorm's four by name; where its epsilon differs from
 * ours the running variance is raised by the difference, which gives the same function. Null where
 * the graph is none of ours: `whyNoTorchNames` says why.
 */
export function toTorchNames(raw: RawWeights): TorchNamed | null {
  const network = networkOf(raw);
  if (!network || obstacle(raw, network) !== null) return null;
  const epsilons = epsilonsOf(raw, network);
  const places = placesOf(raw, network);
  const head = headLayer(places, network);
  const tensors = new Map<string, RawTensor>();
  const origins: TorchNamed['origins'] = new Map();
  for (const place of places) {
    const module = place.layer === head ? network.head : network.modules.get(place.layer);
    const shift = (epsilons.get(place.layer) ?? network.epsilon) - network.ourEpsilon;
    const renamed = module === undefined ? null : rename(place, module, shift);
    tensors.set(renamed?.name ?? place.from, renamed?.tensor ?? place.tensor);
    if (renamed) origins.set(renamed.name, { from: place.from, how: renamed.how });
  }
  const { architecture, dialect } = network;
  const warnings = [...raw.warnings, network.feeding];
  return { ...raw, tensors, warnings, architecture, dialect, origins };
}

/** Why a Keras or TensorFlow.js file cannot be used; null where it can, or is from neither. */
export function whyNoTorchNames(raw: RawWeights): string | null {
  if (!KERAS_FORMATS.has(raw.format)) return null;
  const network = networkOf(raw);
  if (network) return obstacle(raw, network);
  const layers = new Set(layerNames(raw));
  const foreigner = KERAS_FOREIGNERS.find(({ tell }) => tell(layers));
  if (foreigner) return foreigner.why;
  if (layers.size === 0) {
    return "its variables are numbered and their layers' names are not in the file: bring the whole model (.keras or .h5) instead of its weights alone";
  }
  const known = KERAS_NETWORKS.map(({ title }) => title).join(' and ');
  return `its layers are not named as those of ${known}, the Keras networks whose graph is one of ours`;
}

function networkOf(raw: RawWeights): KerasNetwork | null {
  if (!KERAS_FORMATS.has(raw.format)) return null;
  const layers = new Set(layerNames(raw));
  if (KERAS_FOREIGNERS.some(({ tell }) => tell(layers))) return null;
  const shareOf = ({ modules }: KerasNetwork) =>
    [...modules.keys()].filter((name) => layers.has(name)).length / modules.size;
  return KERAS_NETWORKS.find((network) => shareOf(network) >= LEAST_SHARE) ?? null;
}

/** Every way to read a tensor's path as a layer's name: `outer/conv1/bn` -> outer_conv1_bn, conv1_bn, bn. */
function layerNames(raw: RawWeights): string[] {
  return [...raw.tensors.keys()].flatMap((name) => suffixes(split(name).path));
}

function split(name: string): { path: string[]; role: string } {
  const path = name.replace(/:0$/, '').split('/');
  const role = path.pop() ?? '';
  return { path: path.includes('vars') ? [] : path, role };
}

function suffixes(path: readonly string[]): string[] {
  return path.map((_, from) => path.slice(from).join('_'));
}

function placesOf(raw: RawWeights, network: KerasNetwork): Place[] {
  return [...raw.tensors].map(([from, tensor]) => {
    const { path, role } = split(from);
    const readings = suffixes(path);
    const known = readings.find((layer) => network.modules.has(layer));
    return { from, tensor, layer: known ?? path.at(-1) ?? '', role };
  });
}

/** The classifier: by name, else the only dense layer there is. Null for none. */
function headLayer(places: readonly Place[], network: KerasNetwork): string | null {
  const dense = places.filter(({ role, tensor }) => role === 'kernel' && tensor.shape.length === 2);
  const named = dense.find(({ layer }) => network.headNames.includes(layer));
  return named?.layer ?? (dense.length === 1 ? (dense[0]?.layer ?? null) : null);
}

const NORM_ROLES: Record<string, string> = {
  gamma: 'weight',
  beta: 'bias',
  moving_mean: 'running_mean',
  moving_variance: 'running_var',
};

function rename(
  { tensor, role }: Place,
  module: string,
  shift: number,
): { name: string; tensor: RawTensor; how: string } | null {
  const norm = Object.hasOwn(NORM_ROLES, role) ? NORM_ROLES[role] : undefined;
  if (norm === 'running_var' && Math.abs(shift) > 1e-12) {
    const how = `renamed, plus ${shift.toPrecision(3)}: Keras' epsilon in place of ours`;
    return { name: `${module}.running_var`, tensor: raised(tensor, shift), how };
  }
  if (norm !== undefined) return { name: `${module}.${norm}`, tensor, how: 'renamed' };
  if (role === 'bias') return { name: `${module}.bias`, tensor, how: 'renamed' };
  const isKernel = role === 'kernel' || role === 'depthwise_kernel';
  const layout = isKernel ? layoutOf(tensor, role) : null;
  if (!layout) return null;
  const name = `${module}.weight`;
  return { name, tensor: permuted(tensor, layout.axes), how: `renamed, ${layout.how}` };
}

function layoutOf({ shape }: RawTensor, role: string): { axes: number[]; how: string } | null {
  if (shape.length === 2) return { axes: [1, 0], how: '[in, out] to [out, in]' };
  if (shape.length !== 4) return null;
  // Keras 3 calls a depthwise kernel `kernel` too; [h, w, channels, 1] tells it apart.
  const isDepthwise = role === 'depthwise_kernel' || (shape[3] === 1 && shape[2] !== 1);
  return isDepthwise
    ? { axes: [2, 3, 0, 1], how: 'HWC1 to C1HW' }
    : { axes: [3, 2, 0, 1], how: 'HWIO to OIHW' };
}

function raised(tensor: RawTensor, by: number): RawTensor {
  return { ...tensor, read: () => tensor.read().map((value) => value + by) };
}

function graphOf(raw: RawWeights): KerasLayer[] {
  const { layers } = raw as Partial<KerasWeights>;
  return layers ? flatLayers(layers) : [];
}

function canonical(name: string): string {
  return name.replaceAll('/', '_');
}

function epsilonsOf(raw: RawWeights, network: KerasNetwork): Map<string, number> {
  const norms = graphOf(raw).filter(({ className }) => className.startsWith('BatchNormalization'));
  return new Map(
    norms.map(({ name, config }) => {
      const { epsilon } = config;
      return [canonical(name), typeof epsilon === 'number' ? epsilon : network.epsilon];
    }),
  );
}

/** What in the file's own graph is unlike the network that its layers are named after. */
function obstacle(raw: RawWeights, network: KerasNetwork): string | null {
  for (const { name, className, config } of graphOf(raw)) {
    const layer = canonical(name);
    if (!network.modules.has(layer) || !/Conv2D$/.test(className)) continue;
    const stride = network.strided.has(layer) ? 2 : 1;
    const unlike =
      differs(config['strides'], stride) ||
      differs(config['dilation_rate'], 1) ||
      config['use_bias'] === true;
    if (!unlike) continue;
    return `its layers are named as ${network.title}'s, but "${name}" has strides ${JSON.stringify(config['strides'])}, dilation ${JSON.stringify(config['dilation_rate'])}, bias ${String(config['use_bias'])}: it is another graph`;
  }
  return null;
}

/** Keras writes a number or a pair; what is not written is taken to be as it should. */
function differs(given: unknown, wanted: number): boolean {
  const sides: unknown[] = Array.isArray(given) ? given : [given ?? wanted];
  return sides.some((side) => side !== wanted);
}
