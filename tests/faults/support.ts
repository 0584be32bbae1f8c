import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that goes with the test. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'carryover-faults-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const CHILDREN = join(import.meta.dirname, 'children');

/** Command line of one of the programs in children/. */
export function childCommand(name: string, args: string[]): [string, ...string[]] {
  return [process.execPath, join(CHILDREN, name), ...args];
}

/** A running program of children/; killed at the end of the test if it still runs. */
export function startChild(name: string, args: string[]): ChildProcess {
  return start(childCommand(name, args));
}

function start([program, ...args]: [string, ...string[]]): ChildProcess {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Resolves at the child's next line; rejects when it ends before, with what it said on stderr. */
export async function nextLine(child: ChildProcess): Promise<string> {
  let complaint = '';
  child.stderr?.on('data', (data: Buffer) => (complaint += data));
  const line = once(child.stdout!, 'data').then(([data]) => String(data).trim());
  const ended = once(child, 'exit').then(() => {
    throw new Error(`the child ended before it said anything: ${complaint}`);
  });
  return Promise.race([line, ended]);
}

/** Kills a child as `kill -9` does and waits until it is gone. */
export async function killHard(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** Runs a command to its end. */
export async function runCommand(
  command: [string, ...string[]],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = start(command);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (data: Buffer) => (stdout += data));
  child.stderr?.on('data', (data: Buffer) => (stderr += data));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}
