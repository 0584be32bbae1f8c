/** What a device is, as far as the machine says; asked after the device was used. */
import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import * as ort from 'onnxruntime-node';
import type { DeviceId } from '../../../contract/devices.ts';
import { loadTensorflowGpu } from '../tfjs/gpu.ts';

/** Libraries by which a Vulkan driver is known once it is loaded. */
const VULKAN_DRIVERS: readonly (readonly [RegExp, string])[] = [
  [/vk_swiftshader/, 'SwiftShader (software)'],
  [/vulkan_lvp/, 'lavapipe (software)'],
  [/libGLX_nvidia|libnvidia-vulkan/, 'NVIDIA'],
  [/vulkan_radeon|amdvlk/, 'AMD'],
  [/vulkan_intel/, 'Intel'],
];

/** One line: adapter or processor, and the library that drives it. */
export function describeDevice(device: DeviceId): string {
  if (device === 'tfjs-gpu') return tensorflow();
  const runtime = `onnxruntime ${ort.env.versions.node ?? 'unknown'}`;
  return [hardware(device), runtime].filter((part) => part !== '').join(', ');
}

function hardware(device: Exclude<DeviceId, 'tfjs-gpu'>): string {
  if (device === 'cpu') {
    const model = cpus()[0]?.model.trim() || process.arch;
    return `${model}, ${availableParallelism()} threads`;
  }
  if (device === 'cuda') return nvidiaCards();
  return device === 'webgpu' ? webgpuAdapter() : '';
}

function tensorflow(): string {
  const found = loadTensorflowGpu();
  if (!found.awake) return '';
  const card = found.usesGpu ? nvidiaCards() : 'no GPU: on the CPU';
  return `${card}, tfjs-node-gpu ${found.version}`;
}

/** Name and driver of the NVIDIA cards; empty where `nvidia-smi` does not say. */
function nvidiaCards(): string {
  const query = ['--query-gpu=name,driver_version', '--format=csv,noheader'];
  const { stdout } = spawnSync('nvidia-smi', query, { encoding: 'utf8', timeout: 10_000 });
  return (stdout ?? '').trim().split('\n').join('; ');
}

/** onnxruntime does not name its adapter; what has been loaded gives it away. */
function webgpuAdapter(): string {
  if (process.platform === 'darwin') return 'Metal';
  if (process.platform === 'win32') return 'Direct3D 12';
  const libraries = loadedLibraries();
  const drivers = VULKAN_DRIVERS.filter(([pattern]) =>
    libraries.some((library) => pattern.test(library)),
  ).map(([, name]) => name);
  return `Vulkan, ${drivers.join(' and ') || 'unknown driver'}`;
}

function loadedLibraries(): string[] {
  // Otherwise the names of open connections are looked up, which can take long.
  Object.assign(process.report, { excludeNetwork: true });
  const { sharedObjects } = process.report.getReport() as { sharedObjects?: string[] };
  return sharedObjects ?? [];
}
