import type { Hdf5Group } from './hdf5.ts';
import type { KerasLayer } from './keras-topology.ts';
import type { RawTensor } from './weights.ts';

/** Groups that hold a model's layers; the second in files of Keras 2. */
const CONTAINERS = ['layers', '_layer_checkpoint_dependencies'];

/** Roles of numbered variables by the kind of layer, in Keras' order. */
const ROLES: Record<string, readonly string[]> = {
  conv1d: ['kernel', 'bias'],
  conv2d: ['kernel', 'bias'],
  conv2d_transpose: ['kernel', 'bias'],
  depthwise_conv2d: ['depthwise_kernel', 'bias'],
  separable_conv2d: ['depthwise_kernel', 'pointwise_kernel', 'bias'],
  dense: ['kernel', 'bias'],
};

/**
 * Collects the numbered variables `<path>/vars/0, 1 ...` that Keras' saving_lib writes. Layers lie
 * under the snake-cased name of their class with a counter (`conv2d`, `conv2d_1`); newer files say
 * each layer's own name beside its variables, for others it is found by counting in `layers`.
 */
export function readKerasStore(
  root: Hdf5Group,
  layers: readonly KerasLayer[],
  into: Map<string, RawTensor>,
): void {
  const own = root.groups.get('vars');
  if (own) takeVariables(own, '', null, into);
  takeBelow(root, { prefix: '', path: '', layers }, into);
}

/** A model: what its layers' names start with, its path in the file, its layers. */
interface Model {
  prefix: string;
  path: string;
  layers: readonly KerasLayer[];
}

/** One layer's place in the file. */
interface Place {
  prefix: string;
  path: string;
  kind: string;
  layer: KerasLayer | null;
}

function takeBelow(group: Hdf5Group, model: Model, into: Map<string, RawTensor>): void {
  for (const [key, below] of group.groups) {
    const path = model.path === '' ? key : `${model.path}/${key}`;
    if (CONTAINERS.includes(key)) takeLayers(below, { ...model, path }, into);
    else if (key !== 'vars') {
      takeLayer(below, { prefix: model.prefix, path, kind: kindOf(key).kind, layer: null }, into);
    }
  }
}

function takeLayers(
  container: Hdf5Group,
  { prefix, path, layers }: Model,
  into: Map<string, RawTensor>,
): void {
  const found = layersByKey([...container.groups.keys()], layers);
  for (const [key, group] of container.groups) {
    const layer = found.get(key) ?? null;
    takeLayer(group, { prefix, path: `${path}/${key}`, kind: kindOf(key).kind, layer }, into);
  }
}

function takeLayer(group: Hdf5Group, place: Place, into: Map<string, RawTensor>): void {
  const { path, layer } = place;
  const variables = group.groups.get('vars');
  const said = variables?.attributes.get('name');
  const own = typeof said === 'string' ? said : layer?.name;
  const name = own === undefined ? path : place.prefix + own;
  if (variables) takeVariables(variables, name, own === undefined ? null : place, into);
  const prefix = own === undefined ? place.prefix : `${name}/`;
  takeBelow(group, { prefix, path, layers: layer?.inner ?? [] }, into);
}

/** `place` is null where the layer's name is not known: variables then keep their numbers. */
function takeVariables(
  variables: Hdf5Group,
  name: string,
  place: Pick<Place, 'kind' | 'layer'> | null,
  into: Map<string, RawTensor>,
): void {
  const roles = place ? rolesOf(place, variables.tensors.size) : [];
  for (const [number, tensor] of variables.tensors) {
    const role = roles[Number(number)] ?? `vars/${number}`;
    into.set(name === '' ? role : `${name}/${role}`, tensor);
  }
}

function rolesOf({ kind, layer }: Pick<Place, 'kind' | 'layer'>, count: number): readonly string[] {
  if (kind !== 'batch_normalization') return ROLES[kind] ?? [];
  const statistics = ['moving_mean', 'moving_variance'];
  if (count === 4) return ['gamma', 'beta', ...statistics];
  if (count === 2) return statistics;
  if (count !== 3 || !layer) return [];
  return [layer.config['scale'] === false ? 'beta' : 'gamma', ...statistics];
}

function kindOf(key: string): { kind: string; count: number } {
  const [, kind = key, count = '0'] = /^(.*?)(?:_(\d+))?$/.exec(key) ?? [];
  return { kind, count: Number(count) };
}

/**
 * Which layer each group belongs to. Keras 3 counts the layers of a class without gaps; Keras 2
 * counts every layer with weights twice, so that the order is what both have in common.
 */
function layersByKey(
  keys: readonly string[],
  layers: readonly KerasLayer[],
): Map<string, KerasLayer> {
  const found = new Map<string, KerasLayer>();
  for (const kind of new Set(layers.map(({ className }) => snakeCase(className)))) {
    const ofKind = layers.filter(({ className }) => snakeCase(className) === kind);
    const groups = keys
      .filter((key) => kindOf(key).kind === kind)
      .sort((a, b) => kindOf(a).count - kindOf(b).count);
    const inOrder = groups.length === ofKind.length;
    groups.forEach((key, position) => {
      const layer = ofKind[inOrder ? position : kindOf(key).count];
      if (layer) found.set(key, layer);
    });
  }
  return found;
}

/** As Keras' naming.to_snake_case: BatchNormalization -> batch_normalization, Conv2D -> conv2d. */
function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
