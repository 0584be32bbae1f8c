/** A GPU in software: SwiftShader, as Chromium's package ships it, for WebGPU through Vulkan. */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ICD = 'vk_swiftshader_icd.json';
const LOADERS = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
].map((folder) => join(folder, 'libvulkan.so.1'));

/** What a process needs in its environment to compute on SwiftShader, or why it cannot be had. */
export type SwiftShader = { env: Record<string, string> } | { missing: string };

export function findSwiftShader(): SwiftShader {
  if (process.platform !== 'linux') return { missing: 'SwiftShader is looked for on Linux only' };
  const chromium = process.env['CARRYOVER_CHROMIUM'];
  const beside = chromium && existsSync(chromium) ? [dirname(realpathSync(chromium))] : [];
  const folders = [
    ...beside,
    '/usr/lib/chromium',
    '/usr/lib/chromium-browser',
    '/opt/google/chrome',
  ];
  const icd = folders.map((folder) => join(folder, ICD)).find((file) => existsSync(file));
  if (icd === undefined) return { missing: `no Chromium with ${ICD} is installed` };
  if (!LOADERS.some((file) => existsSync(file))) return { missing: 'libvulkan1 is not installed' };
  return { env: { VK_ICD_FILENAMES: icd } };
}
