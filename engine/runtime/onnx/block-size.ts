import * as ort from 'onnxruntime-node';
import type { OnnxNode } from './proto.ts';
import { encodeModel } from './proto.ts';
import { NCHWC } from './layout.ts';

/** More than any CPU's. */
const CHANNELS = 64;

let known: Promise<number> | null = null;

/**
 * Channels in a block of this CPU's convolutions: 16 with AVX-512, 8 with AVX2; 0 where
 * onnxruntime has no blocked convolutions. Found by blocking channels 0, 1, 2 ... of two pixels:
 * the second pixel's channel 0 comes right after the first block.
 */
export function blockSize(): Promise<number> {
  known ??= measure().catch(() => 0);
  return known;
}

async function measure(): Promise<number> {
  const shape = [1, CHANNELS, 1, 2];
  const node: OnnxNode = {
    type: 'ReorderInput',
    inputs: ['x'],
    outputs: ['y'],
    attributes: {},
    domain: NCHWC,
  };
  const model = encodeModel({
    nodes: [node],
    initializers: [],
    inputs: [{ name: 'x', shape }],
    outputs: [{ name: 'y', shape }],
  });
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 4 });
  const pixels = Float32Array.from({ length: 2 * CHANNELS }, (_, i) => i);
  const { y } = await session.run({ x: new ort.Tensor('float32', pixels, shape) });
  await session.release();
  // Element 1 is the second pixel of channel 0.
  const block = (y?.data as Float32Array).indexOf(1);
  return block > 1 && block < CHANNELS ? block : 0;
}
