/**
 * Brings TensorFlow's library for @tensorflow/tfjs-node-gpu by that package's own install script,
 * which is run on a copy: it empties folders before it downloads, and writes its own package.json.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { CarryoverError } from '../../contract/errors.ts';
import { fileError } from '../files.ts';
import { packageFolder } from '../packages.ts';
import { TFJS_GPU } from './libraries.ts';
import type { SetupOptions } from './setup-cuda.ts';

const LAST_WORDS = 600;
const WAY_OUT =
  'connect this machine to the internet (behind a proxy: set HTTPS_PROXY) and try again; everything else works without';

/**
 * Downloads libtensorflow (with CUDA, where there is one for this system) and the binding to it,
 * and puts both into `folder`, the package's own.
 * @throws CarryoverError `io` when it cannot be downloaded; the package is then as it was
 */
export async function installTensorflow(
  folder: string,
  { signal, say }: SetupOptions,
): Promise<string[]> {
  const work = await mkdtemp(join(dirname(folder), '.setup-')).catch((error: unknown) => {
    throw fileError(error, dirname(folder), 'write to');
  });
  try {
    await cp(folder, work, { recursive: true });
    say('running the install script of @tensorflow/tfjs-node-gpu, which says what it downloads:');
    const said = await runInstaller(work, say, signal);
    if (!(await isComplete(work))) throw incomplete(said);
    const parts = ['deps', 'lib'];
    for (const part of parts) {
      await rm(join(folder, part), { recursive: true, force: true });
      await rename(join(work, part), join(folder, part));
    }
    return parts.map((part) => join(folder, part));
  } catch (error) {
    throw fileError(error, folder, 'install TensorFlow into');
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The package's folder. Throws CarryoverError `unsupported` where it is not installed. */
export function tensorflowFolder(): string {
  const folder = packageFolder(TFJS_GPU);
  if (folder !== null) return folder;
  throw new CarryoverError('unsupported', `the package ${TFJS_GPU} is not installed`, {
    wayOut: 'it comes with a clone of carryover; the packaged app is without it',
  });
}

/** Both halves are there: TensorFlow, and the binding to it. */
async function isComplete(folder: string): Promise<boolean> {
  const [library, binding] = [join(folder, 'deps', 'lib'), join(folder, 'lib')];
  if (!existsSync(library) || !existsSync(binding)) return false;
  const libraries = await readdir(library);
  const bindings = await readdir(binding, { recursive: true });
  return (
    libraries.some((name) => /tensorflow\.(so|dll)/.test(name)) &&
    bindings.some((name) => name.endsWith('tfjs_binding.node'))
  );
}

function incomplete(said: string): CarryoverError {
  const reason = said.split('\n').find(isTelling) ?? 'it gave no reason';
  return new CarryoverError('io', `TensorFlow could not be downloaded: ${reason.trim()}`, {
    wayOut: WAY_OUT,
  });
}

function isTelling(line: string): boolean {
  return /\b\w*Error: |\bfailed\b/.test(line);
}

/** What the install script wrote. That it ends with 0 means nothing: it does on failures too. */
function runInstaller(
  folder: string,
  say: (text: string) => void,
  signal: AbortSignal | undefined,
): Promise<string> {
  const bin = join(dirname(dirname(folder)), '.bin');
  const path = [bin, dirname(process.execPath), process.env['PATH']].join(delimiter);
  const child = spawn(process.execPath, ['scripts/install.js', 'gpu', 'download'], {
    cwd: folder,
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal && { signal, killSignal: 'SIGKILL' }),
  });
  let said = '';
  const hear = (chunk: string): void => {
    said = (said + chunk).slice(-LAST_WORDS * 4);
    const address = /https?:\/\/\S+/.exec(chunk);
    if (address) say(`downloading ${address[0]}`);
  };
  child.stdout.setEncoding('utf8').on('data', hear);
  child.stderr.setEncoding('utf8').on('data', hear);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve(said));
  });
}
