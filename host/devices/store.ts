/** Findings about devices, kept in the home's `devices.json` as long as what they depend on is the same. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import pack from '../../package.json' with { type: 'json' };
import type { DeviceId, DeviceReport } from '../../contract/devices.ts';
import type { HomePaths } from '../context.ts';
import { writeFileAtomic } from '../files.ts';
import { packageVersion } from '../packages.ts';
import { ONNXRUNTIME, TFJS_GPU, addedLibraries } from './libraries.ts';

/** What has been found out. */
export interface Findings {
  /** ISO time of the last test. */
  testedAt: string;
  reports: Partial<Record<DeviceId, DeviceReport>>;
}

interface Stored extends Findings {
  /** Hash of all that the findings depend on. */
  surroundings: string;
}

function fileOf({ root }: HomePaths): string {
  return join(root, 'devices.json');
}

/** What is known and still holds; nothing where drivers, libraries or versions have changed since. */
export function readFindings(home: HomePaths): Findings {
  const none = { testedAt: '', reports: {} };
  const file = fileOf(home);
  if (!existsSync(file)) return none;
  try {
    const { surroundings: at, ...findings } = JSON.parse(readFileSync(file, 'utf8')) as Stored;
    return at === surroundings() ? findings : none;
  } catch {
    return none; // a damaged file is tested anew
  }
}

export async function writeFindings(home: HomePaths, findings: Findings): Promise<void> {
  const stored: Stored = { ...findings, surroundings: surroundings() };
  await writeFileAtomic(fileOf(home), `${JSON.stringify(stored, null, 2)}\n`);
}

/** Versions, processor, and what of drivers and libraries can be seen without loading them. */
function surroundings(): string {
  const { env } = process;
  const parts = [
    [pack.version, process.version, process.platform, process.arch],
    [cpus()[0]?.model, availableParallelism()],
    [env['VK_ICD_FILENAMES'], env['VK_DRIVER_FILES'], env['LD_LIBRARY_PATH']],
    env['CUDA_VISIBLE_DEVICES'],
    contentOf('/proc/driver/nvidia/version'),
    [packageVersion(ONNXRUNTIME), packageVersion(TFJS_GPU)],
    addedLibraries().map(stateOf),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function contentOf(file: string): string | null {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

function stateOf(file: string): unknown {
  const state = statSync(file, { throwIfNoEntry: false });
  return state ? [state.size, state.mtimeMs] : null;
}
