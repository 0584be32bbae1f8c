/** From what became of a try of a device to what a person is told: state, reason, way out. */
import type { DeviceId, DeviceReport } from '../../contract/devices.ts';
import type { ProbeOutcome } from '../../engine/runtime/devices/probe.ts';

export const TITLES: Record<DeviceId, string> = {
  cpu: 'CPU',
  cuda: 'NVIDIA GPU (CUDA)',
  directml: 'GPU by DirectML',
  coreml: 'Apple GPU (CoreML)',
  webgpu: 'GPU by WebGPU',
  'tfjs-gpu': 'NVIDIA GPU by TensorFlow.js',
};

type Explanation = Pick<DeviceReport, 'reason' | 'wayOut'>;

/** Where onnxruntime-node or TensorFlow.js can have a device at all; a text says why not. */
export function unsupportedHere(id: DeviceId, platform: string, arch: string): DeviceReport | null {
  const reason = PLATFORM[id](platform, arch);
  if (reason === null) return null;
  return report(id, 'unsupported', { reason, wayOut: otherDevice(platform) });
}

const PLATFORM: Record<DeviceId, (platform: string, arch: string) => string | null> = {
  cpu: () => null,
  webgpu: () => null,
  cuda: (platform, arch) =>
    platform === 'linux' && arch === 'x64'
      ? null
      : 'onnxruntime-node has CUDA on Linux with x64 processors only',
  directml: (platform) => (platform === 'win32' ? null : 'DirectML is a part of Windows'),
  coreml: (platform) => (platform === 'darwin' ? null : 'CoreML is a part of macOS'),
  'tfjs-gpu': (platform, arch) =>
    (platform === 'linux' || platform === 'win32') && arch === 'x64'
      ? null
      : 'TensorFlow.js drives GPUs on Linux and Windows with x64 processors only',
};

function otherDevice(platform: string): string {
  if (platform === 'win32') return 'use DirectML or WebGPU here';
  return platform === 'darwin' ? 'use CoreML or WebGPU here' : 'use CUDA or WebGPU here';
}

/** The report on a device that was tried. */
export function explain(id: DeviceId, outcome: ProbeOutcome): DeviceReport {
  if (outcome.type === 'tested') return tested(id, outcome);
  if (outcome.type === 'refused') return refused(id, outcome);
  const known = missingPart(id, outcome.stderr);
  if (known) return report(id, 'missing', known);
  const reason =
    outcome.type === 'timeout'
      ? `the self-test was not done after ${outcome.seconds} s`
      : deathOf(outcome);
  return report(id, 'failed', { reason, wayOut: otherwise(id) });
}

function refused(
  id: DeviceId,
  { failure, stderr }: Extract<ProbeOutcome, { type: 'refused' }>,
): DeviceReport {
  const known = missingPart(id, `${failure.message}\n${stderr}`);
  if (known) return report(id, 'missing', known);
  // TensorFlow.js says by itself what it lacks.
  const state = id === 'tfjs-gpu' && failure.code === 'unsupported' ? 'missing' : 'failed';
  const wayOut = failure.detail?.wayOut ?? otherwise(id);
  return report(id, state, { reason: firstLine(failure.message), wayOut });
}

function deathOf({ code, signal, stderr }: Extract<ProbeOutcome, { type: 'died' }>): string {
  const how = signal === null ? `ended with ${code}` : `was ended by ${signal}`;
  const said = lastLine(stderr);
  return `the process that tried it ${how}${said === '' ? '' : `: ${said}`}`;
}

function tested(
  id: DeviceId,
  { selfTest, description: device, worst, hopeless }: Extract<ProbeOutcome, { type: 'tested' }>,
): DeviceReport {
  const slow =
    hopeless === null
      ? ''
      : `; too slow to be timed (${Math.round(hopeless)} ms for a step of the small network)`;
  const description = device + slow;
  const state = selfTest.passed ? 'ready' : 'failed';
  const difference =
    selfTest.difference === null ? 'not a number' : selfTest.difference.toExponential(1);
  const explanation = selfTest.passed
    ? { reason: null, wayOut: null }
    : {
        reason: `its results are wrong: ${worst} differs from the CPU's by ${difference} (relative; at most ${selfTest.tolerance} passes)`,
        wayOut: `update the GPU's driver and test again, or ${otherwise(id)}`,
      };
  return { ...report(id, state, explanation), description, selfTest };
}

function report(id: DeviceId, state: DeviceReport['state'], given: Explanation): DeviceReport {
  return { id, title: TITLES[id], state, description: '', selfTest: null, ...given };
}

/** Messages of the runtimes about something that is not on the machine. */
const MISSING: Partial<Record<DeviceId, readonly (readonly [RegExp, string, string])[]>> = {
  cuda: [
    [
      /libonnxruntime_providers_(shared|cuda)\.so: cannot open shared object file|onnxruntime_providers_\w+\.so.*No such file/,
      "onnxruntime's CUDA libraries are not installed (npm does not bring them)",
      'run `carryover setup cuda` where they can be downloaded',
    ],
    [
      /(lib[\w.-]*(?:cu|nv)[\w.-]*\.so[\w.]*): cannot open shared object file/,
      "NVIDIA's library $1 is not installed",
      'install the CUDA 12 toolkit and cuDNN 9, with their folders in LD_LIBRARY_PATH, and test again',
    ],
    [
      /CUDA (?:failure|error) (?:35|100)\b|no CUDA-capable device|driver version is insufficient/i,
      'there is no NVIDIA GPU with a driver for CUDA 12',
      'install the driver for the card and test again',
    ],
  ],
  webgpu: [
    [
      /No supported adapters|Failed to get a WebGPU adapter/,
      'there is no GPU that WebGPU can use (no adapter with Vulkan, Metal or Direct3D 12)',
      "install the GPU's driver (on Linux with Vulkan) and test again",
    ],
    [
      /libvulkan\.so/,
      'the Vulkan loader is not installed',
      "install libvulkan1 and the GPU's Vulkan driver and test again",
    ],
  ],
};

function missingPart(id: DeviceId, text: string): Explanation | null {
  for (const [pattern, reason, wayOut] of MISSING[id] ?? []) {
    const found = pattern.exec(text);
    if (found) return { reason: reason.replace('$1', found[1] ?? ''), wayOut };
  }
  return null;
}

function otherwise(id: DeviceId): string {
  return id === 'cpu' ? 'install Carryover again (a clone: `npm ci`)' : 'train on another device';
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
