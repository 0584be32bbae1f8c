/**
 * Training steps under onnxruntime's WebGPU provider against the CPU's, on SwiftShader, so that no
 * GPU is needed. Each in a process of its own: a driver's crash is to be a failed test only.
 */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findSwiftShader } from './support/swiftshader.ts';
import type { WebgpuResult } from './support/webgpu-child.ts';

const CHILD = join(import.meta.dirname, 'support', 'webgpu-child.ts');
const TOLERANCE = 5e-3;

const names = ['fixup-resnet10', 'convnet with AdamW'];
const found = findSwiftShader();

if ('missing' in found) {
  for (const name of names) console.warn(`skipped, ${found.missing}: WebGPU trains ${name}`);
}

function inChild(name: string, env: Record<string, string>): Promise<WebgpuResult> {
  return new Promise((resolve, reject) => {
    const child = fork(CHILD, [name], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let stderr = '';
    let result: WebgpuResult | null = null;
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('message', (message) => (result = message as WebgpuResult));
    child.once('close', (code, signal) => {
      if (result) resolve(result);
      else reject(new Error(`the child ended with ${code ?? signal}: ${stderr}`));
    });
  });
}

describe.skipIf('missing' in found)('WebGPU', () => {
  test.each(names)(
    'trains %s as the CPU does, with the state on the device between steps and carried over',
    async (name) => {
      const env = 'env' in found ? found.env : {};
      const { stepped, carried, logits, losses } = await inChild(name, env);
      expect(new Set(losses).size).toBe(losses.length);
      expect(stepped.difference, stepped.worst).toBeLessThan(TOLERANCE);
      expect(carried?.difference ?? 0, carried?.worst).toBe(0);
      expect(carried === null).toBe(name !== 'convnet with AdamW');
      expect(logits).toBeLessThan(TOLERANCE);
    },
    600_000,
  );
});
