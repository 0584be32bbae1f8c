import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DeviceReport } from '../../contract/devices.ts';
import type { ProbeOptions } from '../../engine/runtime/devices/probe.ts';
import { probeDevice } from '../../engine/runtime/devices/probe.ts';
import { TOLERANCE } from '../../engine/runtime/devices/self-test.ts';
import type { Findings } from '../../host/devices/store.ts';
import { readFindings, writeFindings } from '../../host/devices/store.ts';
import { testDevices } from '../../host/devices/test.ts';
import { deviceInUse, deviceToTrainOn } from '../../host/devices/use.ts';
import { createHome } from '../../host/home.ts';
import { DEFAULT_SETTINGS } from '../../host/settings.ts';
import { carryover } from './cli-support.ts';
import { put, temporaryFolder } from './datasets-folder.ts';
import { openHome } from './studies-home.ts';

/** A device of another system: never usable on this one. */
const FOREIGN = process.platform === 'win32' ? 'coreml' : 'directml';

describe('a try in a process of its own', () => {
  const tried = (text: string, options: Partial<ProbeOptions> = {}) => {
    const folder = temporaryFolder();
    put(folder, 'program.mjs', text);
    const program = join(folder, 'program.mjs');
    return probeDevice('cuda', { timeoutSeconds: 30, program, ...options });
  };

  test('that crashes is an outcome, with its signal and its last words', async () => {
    const outcome = await tried(
      `process.stderr.write('a library is missing\\n', () => process.kill(process.pid, 'SIGSEGV'));
       setInterval(() => 0, 1000);`,
    );
    expect(outcome).toMatchObject({
      type: 'died',
      signal: 'SIGSEGV',
      stderr: 'a library is missing',
    });
  });

  test('that ends without a word is an outcome, with its code', async () => {
    expect(await tried('process.exit(3)')).toMatchObject({ type: 'died', code: 3, signal: null });
  });

  test('that hangs is ended', async () => {
    const outcome = await tried('setInterval(() => 0, 1000)', { timeoutSeconds: 0.5 });
    expect(outcome).toMatchObject({ type: 'timeout', seconds: 0.5 });
  });

  test('can be given up', async () => {
    const abort = new AbortController();
    const given = tried(
      `process.send({ type: 'phase', phase: 'here' }); setInterval(() => 0, 1000)`,
      {
        signal: abort.signal,
        onPhase: () => abort.abort(new Error('enough')),
      },
    );
    await expect(given).rejects.toThrow('enough');
  });

  test('is believed although the process crashes on its way out', async () => {
    const outcome = await tried(
      `const failure = { code: 'internal', message: 'no such thing' };
       process.send({ type: 'refused', failure }, () => process.kill(process.pid, 'SIGABRT'));
       setInterval(() => 0, 1000);`,
    );
    expect(outcome).toMatchObject({ type: 'refused', failure: { message: 'no such thing' } });
  });
});

/** What the first of these tests found, so that the last need not time the CPU again. */
let known: Findings | undefined;

test('the CPU agrees with TensorFlow.js, is timed, and is not tested twice', async () => {
  const home = createHome(temporaryFolder());
  const phases: string[] = [];
  const { reports, testedAt } = await testDevices(home, ['cpu', FOREIGN], {
    onProgress: (phase) => phases.push(phase),
  });
  expect(reports.cpu).toMatchObject({ state: 'ready', reason: null });
  expect(reports.cpu?.selfTest?.difference).toBeGreaterThan(0);
  expect(reports.cpu?.selfTest?.difference).toBeLessThan(TOLERANCE / 10);
  expect(reports.cpu?.selfTest?.milliseconds).toBeGreaterThan(0);
  expect(reports.cpu?.description).toContain('onnxruntime');
  expect(reports[FOREIGN]?.state).toBe('unsupported');
  expect(phases.some((phase) => phase.includes('resnet18'))).toBe(true);
  expect(readFindings(home)).toEqual({ reports, testedAt });
  known = { reports, testedAt };

  const file = join(home.root, 'devices.json');
  const stored = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...stored, surroundings: 'another driver' }));
  expect(readFindings(home).reports).toEqual({});
  writeFileSync(file, '{ half');
  expect(readFindings(home).reports).toEqual({});
}, 300_000);

describe('the settings', () => {
  const report = (id: DeviceReport['id'], milliseconds: number): DeviceReport => ({
    ...{
      id,
      title: id,
      state: 'ready',
      description: `${id}'s adapter`,
      reason: null,
      wayOut: null,
    },
    selfTest: { passed: true, difference: 0, tolerance: TOLERANCE, milliseconds },
  });
  const failed: DeviceReport = {
    ...report('webgpu', 1),
    state: 'failed',
    reason: 'its results are wrong: loss differs by 0.5',
    wayOut: 'update the driver',
  };
  const not = (id: DeviceReport['id']): DeviceReport => ({ ...failed, id, state: 'missing' });

  test('start with defaults, keep what is set, and bound what may be set', async () => {
    const { handlers } = openHome(temporaryFolder());
    expect(await handlers['settings.get']({})).toEqual(DEFAULT_SETTINGS);
    await handlers['settings.set']({ cacheMegabytes: 500 });
    expect(await handlers['settings.set']({ device: 'auto' })).toEqual({
      device: 'auto',
      cacheMegabytes: 500,
    });
    expect((await handlers['cache.info']({})).limitBytes).toBe(500e6);
  });

  test('refuse a device that does not pass, with what was found, and stay', async () => {
    const { context, handlers } = openHome(temporaryFolder());
    await writeFindings(context.home, { testedAt: 'now', reports: { webgpu: failed } });
    await expect(handlers['settings.set']({ device: 'webgpu' })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('loss differs by 0.5') as string,
      detail: { wayOut: 'update the driver' },
    });
    await expect(handlers['settings.set']({ device: FOREIGN })).rejects.toMatchObject({
      code: 'unsupported',
    });
    expect((await handlers['settings.get']({})).device).toBe('auto');
  });

  test('decide what trains: auto the fastest that passes, a chosen one only while it passes', async () => {
    const { context, handlers } = openHome(temporaryFolder());
    const { home } = context;
    expect(deviceInUse(context)).toBe('auto');
    const reports = {
      cpu: report('cpu', 200),
      cuda: report('cuda', 10),
      webgpu: report('webgpu', 20),
      ...{ directml: not('directml'), coreml: not('coreml'), 'tfjs-gpu': not('tfjs-gpu') },
    };
    await writeFindings(home, { testedAt: 'now', reports });
    expect(await deviceToTrainOn(context)).toEqual({ id: 'cuda', description: "cuda's adapter" });
    expect((await handlers['app.info']({})).device).toBe('cuda');

    await handlers['settings.set']({ device: 'webgpu' });
    expect((await deviceToTrainOn(context)).id).toBe('webgpu');
    await writeFindings(home, { testedAt: 'now', reports: { ...reports, webgpu: failed } });
    await expect(deviceToTrainOn(context)).rejects.toMatchObject({ code: 'unsupported' });

    await handlers['settings.set']({ device: 'cpu' });
    expect((await deviceToTrainOn(context)).id).toBe('cpu');
  });
});

test('carryover devices lists all six with states and reasons, and auto with its why', async () => {
  const home = temporaryFolder();
  if (known) await writeFindings(createHome(home), known);
  const { code, stdout } = await carryover('devices', '--json', '--home', home);
  expect(code).toBe(0);
  const { devices, auto, chosen } = JSON.parse(stdout) as {
    devices: DeviceReport[];
    auto: { id: string; why: string };
    chosen: string;
  };
  expect(devices.map(({ id }) => id)).toEqual([
    ...['cpu', 'cuda', 'directml', 'coreml', 'webgpu', 'tfjs-gpu'],
  ]);
  for (const { state, reason, wayOut } of devices) {
    if (state === 'ready') expect(reason).toBeNull();
    else expect([reason, wayOut].every((text) => text !== null && text !== '')).toBe(true);
  }
  expect(devices.find(({ id }) => id === auto.id)?.state).toBe('ready');
  expect(auto.why).not.toBe('');
  expect(chosen).toBe('auto');

  const table = await carryover('devices', '--home', home);
  expect(table.stdout).toContain(`auto picks ${auto.id}`);
  const refused = await carryover('devices', 'use', FOREIGN, '--home', home);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('way out');
  const used = await carryover('devices', 'use', 'cpu', '--home', home);
  expect(used).toMatchObject({ code: 0, stdout: 'studies train on: cpu\n' });
  expect((await carryover('devices', '--home', home)).stdout).toContain('studies train on: cpu');
}, 300_000);
