import type { RawWeights } from './weights.ts';

/** One layer of a Keras model as its configuration describes it. */
export interface KerasLayer {
  name: string;
  /** Conv2D, BatchNormalization ... */
  className: string;
  config: Record<string, unknown>;
  /** Layers of a model inside the model; empty for a layer proper. */
  inner: KerasLayer[];
}

/** Weights from Keras or TensorFlow.js, with the graph where the file has it. */
export interface KerasWeights extends RawWeights {
  /** In the model's order; null where the file holds weights only. */
  layers: KerasLayer[] | null;
}

/** The object that `value` is, or null. */
export function asRecord(value: unknown): Record<string, unknown> | null {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? (value as Record<string, unknown>) : null;
}

/**
 * The layers of a model's configuration `{ class_name, config: { layers } }`; also of the oldest
 * Sequential models, whose `config` is the list itself. Empty where there are none.
 */
export function layersOf(model: unknown): KerasLayer[] {
  const config = asRecord(model)?.['config'];
  const layers = Array.isArray(config) ? config : asRecord(config)?.['layers'];
  if (!Array.isArray(layers)) return [];
  return layers.map((layer: unknown) => {
    const given = asRecord(layer) ?? {};
    const own = asRecord(given['config']) ?? {};
    const name = given['name'] ?? own['name'];
    return {
      name: typeof name === 'string' ? name : '',
      className: typeof given['class_name'] === 'string' ? given['class_name'] : '',
      config: own,
      inner: layersOf(layer),
    };
  });
}

/** Layers proper, those of inner models in their place. */
export function flatLayers(layers: readonly KerasLayer[]): KerasLayer[] {
  return layers.flatMap((layer) => (layer.inner.length > 0 ? flatLayers(layer.inner) : [layer]));
}

/** Side of the square images that the model takes; null where it takes any or the file does not say. */
export function inputSide(layers: readonly KerasLayer[]): number | null {
  for (const { config } of flatLayers(layers)) {
    const shape = config['batch_input_shape'] ?? config['batch_shape'];
    if (!Array.isArray(shape) || shape.length !== 4) continue;
    const [, rows, columns] = shape as unknown[];
    return typeof rows === 'number' && rows === columns ? rows : null;
  }
  return null;
}

/** The text of a metadata entry: strings as they are, the rest as JSON. */
function metadataText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The entries of `source` named in `keys` that are there, as metadata. */
export function metadataOf(
  source: Record<string, unknown>,
  keys: readonly string[],
): Record<string, string> {
  const given = keys.filter((key) => source[key] !== undefined && source[key] !== null);
  return Object.fromEntries(given.map((key) => [key, metadataText(source[key])]));
}

const CLASS_KEYS = ['labels', 'classNames', 'class_names', 'classes'];

/** A list of class names under one of the keys that are in use for it; null for none. */
export function classNamesIn(given: unknown): string[] | null {
  const record = asRecord(given);
  for (const key of CLASS_KEYS) {
    const names = record?.[key];
    const isList = Array.isArray(names) && names.length > 0;
    if (isList && names.every((name) => typeof name === 'string')) return names as string[];
  }
  return null;
}
