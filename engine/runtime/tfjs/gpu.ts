import { createRequire } from 'node:module';
import { CarryoverError } from '../../../contract/errors.ts';

const PACKAGE = '@tensorflow/tfjs-node-gpu';
const NEEDS =
  'TensorFlow 2.9 wants an NVIDIA GPU with CUDA 11.2 and cuDNN 8.1; training on the CPU needs none';
const require = createRequire(import.meta.url);

/** Whether TensorFlow's own library (CUDA or CPU) can run graphs here, and why not. */
export type TensorflowGpu =
  | { awake: true; version: string; usesGpu: boolean }
  | { awake: false; reason: string; wayOut: string };

/**
 * Loads the TensorFlow.js backend `tensorflow` from the optional package tfjs-node-gpu, which
 * becomes the current backend. The package comes without its library (a download of its own);
 * without it, or on a machine that it does not fit, the result says so.
 */
export function loadTensorflowGpu(): TensorflowGpu {
  restoreRemovedUtil();
  try {
    const binding = require(PACKAGE) as {
      version: Record<string, string>;
      backend(): { isUsingGpuDevice?: boolean };
    };
    return {
      awake: true,
      version: binding.version['tfjs-node'] ?? 'unknown',
      usesGpu: binding.backend().isUsingGpuDevice === true,
    };
  } catch (error) {
    return { awake: false, ...explain(error) };
  }
}

/** As `loadTensorflowGpu`. Throws CarryoverError `unsupported` where no GPU comes of it. */
export function requireTensorflowGpu(): void {
  const found = loadTensorflowGpu();
  if (!found.awake) throw new CarryoverError('unsupported', found.reason, { wayOut: found.wayOut });
  if (found.usesGpu) return;
  const reason = `TensorFlow ${found.version} is installed, but finds no GPU that it can use`;
  throw new CarryoverError('unsupported', reason, { wayOut: NEEDS });
}

/**
 * Node 23 removed helpers of `util` that tfjs-node 4.22 calls (tensorflow/tfjs#8609).
 */
function restoreRemovedUtil(): void {
  const util = require('node:util') as Record<string, unknown>;
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  util['isArray'] ??= Array.isArray;
}

function explain(error: unknown): { reason: string; wayOut: string } {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'MODULE_NOT_FOUND' && message.includes(PACKAGE)) {
    return {
      reason: `the optional package ${PACKAGE} is not installed`,
      wayOut: 'it comes with a clone of carryover; the packaged app is without it',
    };
  }
  if (message.includes('tfjs_binding.node')) {
    return {
      reason: `${PACKAGE} is installed, but not TensorFlow's native library, which npm does not bring`,
      wayOut: 'run `carryover setup tensorflow-gpu` where TensorFlow can be downloaded',
    };
  }
  return {
    reason: `${PACKAGE} could not be loaded: ${message.split('\n')[0]}`,
    wayOut: NEEDS,
  };
}
