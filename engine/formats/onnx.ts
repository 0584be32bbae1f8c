import { ModelProto } from '../runtime/onnx/proto.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { ByteSource } from './bytes.ts';
import { unusable } from './failure.ts';
import {
  elementOf,
  type Integer,
  onnxTensor,
  type TensorMessage,
  toNumber,
} from './onnx-tensors.ts';
import { METADATA_KEYS, toldByMetadata } from './told.ts';
import type { RawTensor, RawWeights } from './weights.ts';

interface NodeMessage {
  input: string[];
  output: string[];
  op_type: string;
  attribute: { name: string; t: TensorMessage | null }[];
}

interface InputMessage {
  name: string;
  type: { tensor_type: { shape: { dim: { dim_value: Integer }[] } | null } | null } | null;
}

interface GraphMessage {
  node: NodeMessage[];
  initializer: TensorMessage[];
  input: InputMessage[];
}

interface ModelMessage {
  producer_name: string;
  producer_version: string;
  graph: GraphMessage | null;
  opset_import: { domain: string; version: Integer }[];
  metadata_props: { key: string; value: string }[];
}

/** Protocol buffers cannot be longer. */
const MAX_BYTES = 2 ** 31;
/** Operators whose constants say where and how far, not what the network learned. */
const PLUMBING = new Set(
  (
    'Cast Clip ConstantOfShape Dropout Expand Gather OneHot Pad Range Reshape Resize Slice Split ' +
    'Squeeze Tile TopK Unsqueeze Upsample'
  ).split(' '),
);
/** PyTorch's names for tensors that folding made. */
export const ANONYMOUS = 'onnx::Conv_';
/** Why an ONNX file with BatchNorm folded into its convolutions is of no use, and what to do. */
export const FOLDED =
  'BatchNorm is folded into the convolutions, so its weights cannot be matched. Export anew in ' +
  'evaluation mode with torch.onnx.export(..., training=torch.onnx.TrainingMode.PRESERVE, ' +
  'do_constant_folding=False), or give the state dict';
const QUANTISED = /^(?:Dynamic)?(?:Quantize|Dequantize)Linear$|^QLinear|Integer$/;

/**
 * Reads the weights of an ONNX model: initializers and the tensors of Constant nodes, of floating
 * point, by the file's names; an Identity's output is another name of its input. What only steers
 * operators (shapes, bounds) is left out. The graph itself is only summed up.
 * @throws CarryoverError `bad-input` where the file is no model or is damaged
 */
export function readOnnx(source: ByteSource): RawWeights {
  const { file } = source;
  const model = decode(source);
  const { graph } = model;
  if (!graph) throw unusable(file, 'ONNX file', 'it has no graph');
  const metadata = { ...summary(model, graph), ...properties(model) };
  const { warnings, preprocessing, classNames } = toldByMetadata(metadata);
  const own = METADATA_KEYS.architecture in metadata;
  return {
    format: 'onnx',
    tensors: weightsOf(file, graph),
    metadata,
    classNames,
    preprocessing: { ...preprocessing, size: preprocessing.size ?? inputSide(graph) },
    warnings: [...warnings, ...(own ? [] : graphWarnings(graph))],
  };
}

function decode(source: ByteSource): ModelMessage {
  const { file, size } = source;
  if (size > MAX_BYTES) throw unusable(file, 'ONNX file', `its ${size} bytes are more than 2 GiB`);
  try {
    return ModelProto.decode(source.read(0, size)) as unknown as ModelMessage;
  } catch (error) {
    if (error instanceof CarryoverError) throw error;
    throw unusable(file, 'ONNX file', error instanceof Error ? error.message : String(error));
  }
}

function weightsOf(file: string, graph: GraphMessage): Map<string, RawTensor> {
  const consumers = consumersOf(graph);
  const tensors = new Map<string, RawTensor>();
  const take = (name: string, message: TensorMessage): void => {
    const element = elementOf(message);
    const used = consumers.get(name);
    const steers = used !== undefined && [...used].every((operator) => PLUMBING.has(operator));
    if (element === null || steers) return;
    tensors.set(name, onnxTensor(file, name, message, element));
  };
  for (const message of graph.initializer) take(message.name, message);
  for (const { op_type, input, output, attribute } of graph.node) {
    const [from = '', to = ''] = [input[0], output[0]];
    const value = attribute.find(({ name }) => name === 'value')?.t;
    if (op_type === 'Constant' && value) take(to, value);
    const aliased = op_type === 'Identity' ? tensors.get(from) : undefined;
    if (aliased) tensors.set(to, aliased);
  }
  return tensors;
}

/** Operators by what they take; a first input is what is worked on, so it stands for no operator. */
function consumersOf({ node }: GraphMessage): Map<string, Set<string>> {
  const consumers = new Map<string, Set<string>>();
  for (const { op_type, input } of node) {
    input.forEach((name, index) => {
      const operators = consumers.get(name) ?? new Set();
      consumers.set(name, operators.add(index === 0 ? '' : op_type));
    });
  }
  return consumers;
}

function properties({ metadata_props }: ModelMessage): Record<string, string> {
  return Object.fromEntries(metadata_props.map(({ key, value }) => [key, value]));
}

function summary(model: ModelMessage, { node }: GraphMessage): Record<string, string> {
  const { producer_name, producer_version, opset_import } = model;
  const counts = new Map<string, number>();
  for (const { op_type } of node) counts.set(op_type, (counts.get(op_type) ?? 0) + 1);
  const operators = [...counts].sort(([, a], [, b]) => b - a);
  const opset = opset_import.find(({ domain }) => domain === '' || domain === 'ai.onnx');
  return {
    'onnx.producer': `${producer_name} ${producer_version}`.trim(),
    'onnx.opset': opset ? String(toNumber(opset.version)) : '',
    'onnx.operators': operators.map(([name, count]) => `${count} ${name}`).join(', '),
  };
}

/** Side of the square images that the graph asks for; null where it is open. */
function inputSide({ input, initializer }: GraphMessage): number | null {
  const constants = new Set(initializer.map(({ name }) => name));
  const images = input.find(({ name }) => !constants.has(name));
  const sides = images?.type?.tensor_type?.shape?.dim.map(({ dim_value }) => toNumber(dim_value));
  if (sides?.length !== 4) return null;
  const [, , rows = 0, columns] = sides;
  return rows > 0 && rows === columns ? rows : null;
}

/** Of tensors that lost their names, the matching says the same. */
function graphWarnings({ node, initializer }: GraphMessage): string[] {
  const warnings: string[] = [];
  const has = (operator: string): boolean => node.some(({ op_type }) => op_type === operator);
  const biased = node.some(({ op_type, input }) => op_type === 'Conv' && input.length > 2);
  const named = !initializer.some(({ name }) => name.startsWith(ANONYMOUS));
  if (named && biased && !has('BatchNormalization')) warnings.push(FOLDED);
  if (node.some(({ op_type }) => QUANTISED.test(op_type))) {
    warnings.push('the model is quantised: its integer weights are left out; give the float model');
  }
  return warnings;
}
