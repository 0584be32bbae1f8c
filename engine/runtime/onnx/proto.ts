/**
 * The part of ONNX's model format that we write, and read of files of weights (onnx/onnx, onnx.proto,
 * Apache-2.0; field numbers are the format). protobufjs does the encoding.
 */
import protobuf from 'protobufjs';

const SCHEMA = `
syntax = "proto2";
package onnx;
message AttributeProto {
  optional string name = 1;
  optional float f = 2;
  optional int64 i = 3;
  optional bytes s = 4;
  optional TensorProto t = 5;
  repeated float floats = 7;
  repeated int64 ints = 8;
  optional int32 type = 20;
}
message NodeProto {
  repeated string input = 1;
  repeated string output = 2;
  optional string name = 3;
  optional string op_type = 4;
  repeated AttributeProto attribute = 5;
  optional string domain = 7;
}
message TensorProto {
  repeated int64 dims = 1;
  optional int32 data_type = 2;
  repeated float float_data = 4 [packed = true];
  repeated int32 int32_data = 5 [packed = true];
  optional string name = 8;
  optional bytes raw_data = 9;
  repeated double double_data = 10 [packed = true];
  repeated StringStringEntryProto external_data = 13;
  optional int32 data_location = 14;
}
message Dimension { oneof value { int64 dim_value = 1; string dim_param = 2; } }
message TensorShapeProto { repeated Dimension dim = 1; }
message TensorType { optional int32 elem_type = 1; optional TensorShapeProto shape = 2; }
message TypeProto { optional TensorType tensor_type = 1; }
message ValueInfoProto { optional string name = 1; optional TypeProto type = 2; }
message GraphProto {
  repeated NodeProto node = 1;
  optional string name = 2;
  repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11;
  repeated ValueInfoProto output = 12;
}
message StringStringEntryProto { optional string key = 1; optional string value = 2; }
message OperatorSetIdProto { optional string domain = 1; optional int64 version = 2; }
message ModelProto {
  optional int64 ir_version = 1;
  optional string producer_name = 2;
  optional string producer_version = 3;
  optional GraphProto graph = 7;
  repeated OperatorSetIdProto opset_import = 8;
  repeated StringStringEntryProto metadata_props = 14;
}`;

/** The message type of a whole model; its fields have the names of onnx.proto. */
export const ModelProto = protobuf
  .parse(SCHEMA, { keepCase: true })
  .root.lookupType('onnx.ModelProto');

const FLOAT = 1;
const INT32 = 6;
const INT64 = 7;
const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, ints: 7 } as const;
const IR_VERSION = 8;
/** Opset of the default domain: ReduceSum takes axes as input, ScatterElements can add. */
const OPSET = 18;

export type AttributeValue =
  { float: number } | { int: number } | { string: string } | { ints: readonly number[] };

export interface OnnxNode {
  type: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: Readonly<Record<string, AttributeValue>>;
  /** Absent for the default domain. */
  domain?: string;
}

export interface OnnxTensor {
  name: string;
  shape: readonly number[];
  data: Float32Array | Int32Array | BigInt64Array;
}

export interface OnnxModel {
  nodes: readonly OnnxNode[];
  initializers: readonly OnnxTensor[];
  inputs: readonly { name: string; shape: readonly number[] }[];
  outputs: readonly { name: string; shape: readonly number[] }[];
}

/** Serialises a float32 model. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const message = {
    ir_version: IR_VERSION,
    producer_name: 'carryover',
    opset_import: [
      { domain: '', version: OPSET },
      ...extensionsOf(model).map((domain) => ({ domain, version: 1 })),
    ],
    graph: {
      name: 'carryover',
      node: model.nodes.map(nodeMessage),
      initializer: model.initializers.map(tensorMessage),
      input: model.inputs.map(valueInfo),
      output: model.outputs.map(valueInfo),
    },
  };
  return ModelProto.encode(ModelProto.create(message)).finish();
}

/** onnxruntime's own domains that the model uses. */
function extensionsOf({ nodes }: OnnxModel): string[] {
  return [...new Set(nodes.flatMap(({ domain }) => (domain === undefined ? [] : [domain])))];
}

function nodeMessage(node: OnnxNode): object {
  return {
    input: node.inputs,
    output: node.outputs,
    name: node.outputs[0],
    op_type: node.type,
    ...(node.domain ? { domain: node.domain } : {}),
    attribute: Object.entries(node.attributes).map(attributeMessage),
  };
}

function attributeMessage([name, value]: [string, AttributeValue]): object {
  if ('float' in value) return { name, type: ATTRIBUTE_TYPE.float, f: value.float };
  if ('int' in value) return { name, type: ATTRIBUTE_TYPE.int, i: value.int };
  if ('string' in value) {
    return { name, type: ATTRIBUTE_TYPE.string, s: new TextEncoder().encode(value.string) };
  }
  return { name, type: ATTRIBUTE_TYPE.ints, ints: value.ints };
}

function tensorMessage({ name, shape, data }: OnnxTensor): object {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dims: shape, data_type: typeOf(data), raw_data: bytes };
}

function typeOf(data: OnnxTensor['data']): number {
  if (data instanceof Float32Array) return FLOAT;
  return data instanceof Int32Array ? INT32 : INT64;
}

function valueInfo({ name, shape }: { name: string; shape: readonly number[] }): object {
  const dims = shape.map((side) => ({ dim_value: side }));
  return { name, type: { tensor_type: { elem_type: FLOAT, shape: { dim: dims } } } };
}

export interface Published {
  /** Key-value texts of the model. */
  metadata: Readonly<Record<string, string>>;
  /** Name of the first side of every input and output, which becomes open. */
  batch: string;
}

interface Message {
  graph: { input: PortMessage[]; output: PortMessage[] };
  metadata_props: { key: string; value: string }[];
}

interface PortMessage {
  type: { tensor_type: { shape: { dim: object[] } } };
}

/** A serialised model for other programs: with metadata and an open batch. */
export function publishModel(model: Uint8Array, { metadata, batch }: Published): Uint8Array {
  const message = ModelProto.decode(model);
  const { graph, metadata_props: texts } = message as unknown as Message;
  for (const { type } of [...graph.input, ...graph.output]) {
    type.tensor_type.shape.dim[0] = { dim_param: batch };
  }
  for (const [key, value] of Object.entries(metadata)) texts.push({ key, value });
  return ModelProto.encode(message).finish();
}
