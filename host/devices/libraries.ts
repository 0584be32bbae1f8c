/** Where the native libraries lie that npm does not bring. */
import { join } from 'node:path';
import { packageFolder } from '../packages.ts';

export const ONNXRUNTIME = 'onnxruntime-node';
export const TFJS_GPU = '@tensorflow/tfjs-node-gpu';

/** onnxruntime's libraries for this system; null without the package. */
export function onnxruntimeFolder(): string | null {
  const folder = packageFolder(ONNXRUNTIME);
  return folder && join(folder, 'bin', 'napi-v6', process.platform, process.arch);
}

/** Files by which `carryover setup` changes what a device can do. */
export function addedLibraries(): string[] {
  const onnxruntime = onnxruntimeFolder();
  const tensorflow = packageFolder(TFJS_GPU);
  return [
    ...(onnxruntime === null ? [] : [join(onnxruntime, 'libonnxruntime_providers_cuda.so')]),
    ...(tensorflow === null ? [] : [join(tensorflow, 'lib'), join(tensorflow, 'deps', 'lib')]),
  ];
}
