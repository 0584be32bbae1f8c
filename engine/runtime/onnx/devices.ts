/** How onnxruntime's execution providers are asked for, and what the binding can do with each. */
import type { InferenceSession } from 'onnxruntime-node';
import type { DeviceId } from '../../../contract/devices.ts';

/** Devices that onnxruntime drives. */
export type OnnxDevice = Exclude<DeviceId, 'tfjs-gpu'>;

/**
 * CoreML: ML programs with static shapes on processor and graphics, whose arithmetic is float32;
 * the neural engine's is float16. (onnxruntime, coreml_provider_factory.h)
 */
const COREML_FLAGS = 0x10 | 0x08 | 0x20;

type Options = InferenceSession.SessionOptions;

const OPTIONS: Record<Exclude<OnnxDevice, 'cpu'>, Options> = {
  cuda: { executionProviders: [{ name: 'cuda', deviceId: 0 }] },
  // DirectML takes no memory patterns and no parallel execution.
  directml: { executionProviders: [{ name: 'dml', deviceId: 0 }], enableMemPattern: false },
  coreml: { executionProviders: [{ name: 'coreml', coreMlFlags: COREML_FLAGS }] },
  webgpu: { executionProviders: [{ name: 'webgpu' }], enableMemPattern: false },
};

/** Session options of a device other than the CPU. What it lacks, onnxruntime runs on the CPU. */
export function deviceOptions(device: Exclude<OnnxDevice, 'cpu'>): Options {
  // NVIDIA's libraries would round products to TF32's 10 bits otherwise; they read it when they load.
  if (device === 'cuda') process.env['NVIDIA_TF32_OVERRIDE'] ??= '0';
  return { ...OPTIONS[device], graphOptimizationLevel: 'extended' };
}

/** Whether onnxruntime-node can leave an output in the device's memory and take it as an input. */
export function keepsOnDevice(device: OnnxDevice): boolean {
  return device === 'webgpu';
}
