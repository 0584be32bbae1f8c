import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Choice } from './bench.ts';
import type { Network } from './network.ts';
import { RATE } from './network.ts';

const script = fileURLToPath(new URL('./peers/torch_peer.py', import.meta.url));

type Order = 'step' | 'infer' | 'memory';

/** PyTorch in a child process that stays alive between steps. */
export interface TorchPeer {
  name: string;
  version: string;
  threads: number;
  ask<T>(order: Order): Promise<T>;
  close(): Promise<void>;
}

/** A Python that has PyTorch, or null. */
function pythonWithTorch(): string | null {
  const works = (python: string): boolean =>
    spawnSync(python, ['-c', 'import torch, numpy'], { stdio: 'ignore' }).status === 0;
  return ['python3', '/usr/bin/python3'].find(works) ?? null;
}

/**
 * PyTorch on the same network and batch: with its own thread count and with every core, or on the
 * graphics card. Empty, with the reason on stderr, where it is not installed or has no such network.
 */
export async function torchPeers(network: Network, { device }: Choice): Promise<TorchPeer[]> {
  if (device !== 'cpu') return peersOr(startTorch(network, null, 'cuda'));
  const own = await peersOr(startTorch(network, null));
  const cores = cpus().length;
  if (own.length === 0 || own[0]?.threads === cores) return own;
  return [...own, await startTorch(network, cores)];
}

async function peersOr(starting: Promise<TorchPeer>): Promise<TorchPeer[]> {
  try {
    return [await starting];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`PyTorch is left out: ${reason}\n`);
    return [];
  }
}

/**
 * @param network null: nothing but the library is loaded
 * @param threads null: PyTorch's own choice
 */
export async function startTorch(
  network: Network | null,
  threads: number | null,
  device: 'cpu' | 'cuda' = 'cpu',
): Promise<TorchPeer> {
  const python = pythonWithTorch();
  if (python === null) throw new Error('it is not installed (Debian: python3-torch)');
  const folder = await mkdtemp(join(tmpdir(), 'carryover-bench-'));
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const say = async <T>(message: object): Promise<T> => {
    child.stdin.write(`${JSON.stringify(message)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error('it ended early; what it wrote is above');
    return JSON.parse(value as string) as T;
  };
  const close = async (): Promise<void> => {
    child.stdin.end();
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const job = { ...(await jobOf(folder, network)), threads, device };
    const hello = await say<{ version: string; threads: number } | { error: string }>(job);
    if ('error' in hello) throw new Error(hello.error);
    const where = device === 'cuda' ? 'graphics card' : threads ? 'every core' : 'its own threads';
    const version = `PyTorch ${hello.version}`;
    const ask = <T>(order: Order): Promise<T> => say({ do: order });
    return { name: `pytorch (${where})`, version, threads: hello.threads, ask, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function jobOf(folder: string, network: Network | null): Promise<object> {
  if (network === null) return { architecture: null };
  const { options, training, parameters, weights, batch } = network;
  if (training.optimiser.kind !== 'sgd') throw new Error('the peer has SGD only');
  const files = { weights: join(folder, 'weights'), images: join(folder, 'images') };
  const ordered = parameters.map(({ name }) => weights.get(name) ?? new Float32Array());
  await writeFile(files.weights, Buffer.concat(ordered.map(bytes)));
  await writeFile(files.images, bytes(batch.images));
  return {
    architecture: options.architecture,
    classes: options.classes,
    labels: [...batch.labels],
    rate: RATE,
    momentum: training.optimiser.momentum,
    weightDecay: training.optimiser['weight-decay'],
    multipliers: training['lr-multipliers'],
    names: parameters.map(({ name }) => name),
    roles: Object.fromEntries(parameters.map(({ name, role }) => [name, role])),
    ...files,
  };
}

function bytes({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
