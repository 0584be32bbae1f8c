import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HostProcess, type HostPolicy } from '../../electron/host-process.ts';
import { node, root } from './clone.ts';

const policy: HostPolicy = {
  backOff: [5, 10],
  steadyAfter: 60_000,
  startLimit: 30_000,
  stopLimit: 30_000,
};
const guard = join(root, 'electron', 'host-guard.ts');
const address = 'console.log("http://127.0.0.1:9/?token=t");';

let folder: string;
let host: HostProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carryover-host-'));
});

afterEach(async () => {
  await host?.stop();
  rmSync(folder, { recursive: true });
});

interface Supervised {
  starts: string[];
  /** Resolves with what the user is told. */
  failed: Promise<string>;
  /** Resolves when the host is ready for the first time. */
  ready: Promise<URL>;
}

/** Supervises a host with this script; the environment and the binary may be changed. */
function supervise(
  script: string,
  change: Partial<HostPolicy> = {},
  binary = join(root, node),
): Supervised {
  const file = join(folder, 'host.mjs');
  writeFileSync(file, script);
  const starts: string[] = [];
  const failed = Promise.withResolvers<string>();
  const ready = Promise.withResolvers<URL>();
  const listener = {
    ready: (url: URL) => {
      starts.push(url.href);
      ready.resolve(url);
    },
    failed: failed.resolve,
  };
  host = new HostProcess({ node: binary, guard, args: [file] }, listener, { ...policy, ...change });
  host.start();
  return { starts, failed: failed.promise, ready: ready.promise };
}

test('a host that goes on crashing is given up after the last back-off', async () => {
  const { starts, failed } = supervise(
    `${address} console.error('out of luck'); process.exitCode = 3`,
  );
  expect(await failed).toBe(
    'The workbench crashed 3 times in a row: it ended with code 3.\n\nout of luck',
  );
  expect(starts).toHaveLength(3);
});

test('crashes are forgotten once the host has run for a while', async () => {
  const { starts } = supervise(`${address} setTimeout(() => process.exit(3), 300)`, {
    steadyAfter: 20,
  });
  await expect
    .poll(() => starts.length, { timeout: 30_000 })
    .toBeGreaterThan(policy.backOff.length + 1);
});

test('trying again after a failure starts from nothing', async () => {
  const { starts, failed } = supervise(`${address} process.exitCode = 3`);
  await failed;
  host?.start();
  await expect.poll(() => starts.length, { timeout: 30_000 }).toBe(6);
});

test('a host that gives no address in time is ended and reported', async () => {
  const { failed } = supervise('setInterval(() => undefined, 1000)', { startLimit: 500 });
  expect(await failed).toContain('could not be started: it gave no address within 0.5 s');
});

test('an address counts only when its line is whole, and only on this machine', async () => {
  const { ready } = supervise(`
    process.stdout.write('see http://example.org:80/\\nhttp://127.0.0.1:12');
    setTimeout(() => process.stdout.write('34/?token=whole\\n'), 200);
    setInterval(() => undefined, 1000);`);
  expect((await ready).href).toBe('http://127.0.0.1:1234/?token=whole');
});

test('a Node binary that is missing is named', async () => {
  const missing = join(folder, 'no-node');
  const { failed } = supervise(address, {}, missing);
  expect(await failed).toContain(`could not be started: spawn ${missing} ENOENT`);
});

test('stopping ends even a host that does not listen', async () => {
  const { ready } = supervise(
    `process.on('SIGTERM', () => console.error('no')); ${address} setInterval(() => undefined, 1000);`,
    { stopLimit: 200 },
  );
  await ready;
  await host?.stop();
});

test('a crash is noticed although a process left behind holds the output open', async () => {
  const { failed } = supervise(
    `import { spawn } from 'node:child_process';
     spawn(process.execPath, ['-e', 'setTimeout(() => undefined, 5000)'], { stdio: 'inherit' }).unref();
     ${address} process.exit(4);`,
    { backOff: [] },
  );
  expect(await failed).toContain('The workbench crashed: it ended with code 4');
});

test("the user's NODE_OPTIONS do not reach the host", async () => {
  const before = process.env['NODE_OPTIONS'];
  process.env['NODE_OPTIONS'] = '--no-such-option';
  const { ready } = supervise(`${address} setInterval(() => undefined, 1000);`);
  if (before === undefined) delete process.env['NODE_OPTIONS'];
  else process.env['NODE_OPTIONS'] = before;
  expect((await ready).host).toBe('127.0.0.1:9');
});
