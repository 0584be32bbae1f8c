import { describe, expect, test } from 'vitest';
import type { DeviceReport } from '../../contract/devices.ts';
import { DEVICE_IDS } from '../../contract/devices.ts';
import type { ProbeOutcome } from '../../engine/runtime/devices/probe.ts';
import type { Trained } from '../../engine/runtime/devices/self-test.ts';
import { TOLERANCE, compare } from '../../engine/runtime/devices/self-test.ts';
import { fastest } from '../../host/devices/choose.ts';
import { explain, unsupportedHere } from '../../host/devices/explain.ts';
import { commandIn, selfTestText } from '../../renderer/src/settings/device-text.ts';

const selfTest = { passed: true, difference: 1e-5, tolerance: TOLERANCE, milliseconds: 20 };
const tested: ProbeOutcome = {
  type: 'tested',
  description: 'a card',
  selfTest,
  worst: 'momentum/conv1.weight',
  hopeless: null,
  stderr: '',
};
const refused = (message: string, stderr = ''): ProbeOutcome => ({
  type: 'refused',
  failure: { code: 'internal', message },
  stderr,
});

describe('what became of a try', () => {
  test('a device that agrees is ready, with its numbers', () => {
    expect(explain('cuda', tested)).toMatchObject({
      state: 'ready',
      description: 'a card',
      selfTest,
      reason: null,
      wayOut: null,
    });
  });

  test('one that differs has failed, with the number, the tensor and the tolerance', () => {
    const wrong = { ...selfTest, passed: false, difference: 0.31, milliseconds: null };
    const report = explain('webgpu', { ...tested, selfTest: wrong });
    expect(report.state).toBe('failed');
    expect(report.reason).toContain("momentum/conv1.weight differs from the CPU's by 3.1e-1");
    expect(report.reason).toContain(String(TOLERANCE));
    expect(report.wayOut).not.toBe('');
  });

  test('one too slow for the timed network is ready and says how slow', () => {
    const report = explain('webgpu', { ...tested, hopeless: 470.2 });
    expect(report.state).toBe('ready');
    expect(report.description).toContain('470 ms for a step of the small network');
  });

  test.each<[DeviceReport['id'], ProbeOutcome, DeviceReport['state'], RegExp]>([
    [
      'cuda',
      refused(
        'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library',
        'libonnxruntime_providers_shared.so: cannot open shared object file: No such file',
      ),
      'missing',
      /carryover setup cuda/,
    ],
    [
      'cuda',
      {
        type: 'died',
        code: null,
        signal: 'SIGABRT',
        stderr: 'libcudnn.so.9: cannot open shared object file',
      },
      'missing',
      /CUDA 12 toolkit and cuDNN 9/,
    ],
    ['cuda', refused('CUDA failure 100: no CUDA-capable device is detected'), 'missing', /driver/],
    [
      'webgpu',
      refused('Failed to get a WebGPU adapter: No supported adapters'),
      'missing',
      /driver/,
    ],
    ['webgpu', refused('validation failed'), 'failed', /another device/],
    [
      'tfjs-gpu',
      {
        type: 'refused',
        failure: { code: 'unsupported', message: 'no library', detail: { wayOut: 'run it' } },
        stderr: '',
      },
      'missing',
      /run it/,
    ],
    [
      'directml',
      { type: 'died', code: 3, signal: null, stderr: 'a\nlast words' },
      'failed',
      /another/,
    ],
    ['coreml', { type: 'timeout', seconds: 7, stderr: '' }, 'failed', /another/],
  ])('%s: %o is %s', (id, outcome, state, wayOut) => {
    const report = explain(id, outcome);
    expect(report.state).toBe(state);
    expect(report.reason).toBeTruthy();
    expect(report.wayOut).toMatch(wayOut);
  });

  test('a death is told with its signal or code and the last line of stderr', () => {
    const died = { type: 'died', code: null, signal: 'SIGSEGV', stderr: 'first\nlast' } as const;
    expect(explain('directml', died).reason).toBe(
      'the process that tried it was ended by SIGSEGV: last',
    );
    expect(explain('coreml', { type: 'timeout', seconds: 7, stderr: '' }).reason).toContain('7 s');
  });
});

test('what a system can never have is not tried there, and says what to use instead', () => {
  const never = (platform: string, arch: string): string[] =>
    DEVICE_IDS.filter((id) => unsupportedHere(id, platform, arch)?.state === 'unsupported');
  expect(never('linux', 'x64')).toEqual(['directml', 'coreml']);
  expect(never('linux', 'arm64')).toEqual(['cuda', 'directml', 'coreml', 'tfjs-gpu']);
  expect(never('win32', 'x64')).toEqual(['cuda', 'coreml']);
  expect(never('darwin', 'arm64')).toEqual(['cuda', 'directml', 'tfjs-gpu']);
  expect(unsupportedHere('cuda', 'darwin', 'arm64')?.wayOut).toContain('CoreML');
});

describe('auto', () => {
  const report = (
    id: DeviceReport['id'],
    state: DeviceReport['state'],
    milliseconds: number | null,
  ): DeviceReport => ({
    ...{ id, title: id.toUpperCase(), state, description: '', reason: null, wayOut: null },
    selfTest: { ...selfTest, milliseconds },
  });

  test('is the fastest that passes, and says what the next one takes', () => {
    const devices = [
      report('cpu', 'ready', 195),
      report('webgpu', 'ready', 12.34),
      report('cuda', 'failed', 3),
    ];
    expect(fastest(devices)).toEqual({
      id: 'webgpu',
      why: 'fastest of those that passed: 12 ms a step of the test network, CPU 195 ms',
    });
  });

  test('is never one that was too slow to be timed; the CPU where nothing was', () => {
    expect(fastest([report('webgpu', 'ready', null), report('cpu', 'ready', 200)])).toEqual({
      id: 'cpu',
      why: 'the only one that passed and was fast enough to be timed: 200 ms a step of the test network',
    });
    expect(fastest([report('cpu', 'ready', 200)]).why).toMatch(/^the only one that passed: /);
    expect(fastest([]).id).toBe('cpu');
  });
});

describe('comparison', () => {
  const trained = (loss: number, weight: number[], gradient: number[]): Trained => ({
    losses: [loss],
    state: {
      weights: new Map([['w', Float32Array.from(weight)]]),
      optimiser: new Map([['momentum/w', Float32Array.from(gradient)]]),
    },
  });
  const reference = trained(1, [1, -2], [0.1, 0.2]);

  test('is relative to the largest element, and names the worst tensor', () => {
    expect(compare(reference, reference).difference).toBe(0);
    const { worst, difference } = compare(trained(1.001, [1, -2.01], [0.1, 0.21]), reference);
    expect(worst).toBe('momentum/w');
    expect(difference).toBeCloseTo(0.05, 5);
  });

  test('of something that is not a number, or is not there, never passes', () => {
    expect(compare(trained(NaN, [1, -2], [0.1, 0.2]), reference).difference).toBe(Infinity);
    expect(compare(trained(1, [1], [0.1, 0.2]), reference).difference).toBe(Infinity);
    expect(compare(trained(1, [0, 0], [0, 0]), reference).difference).toBeGreaterThan(TOLERANCE);
  });
});

test('the settings page says the numbers, and finds the command to copy', () => {
  expect(selfTestText(selfTest)).toBe('20 ms a step · differs by 1.0e-5 (up to 0.005 passes)');
  expect(selfTestText({ ...selfTest, difference: null, milliseconds: null })).toBe(
    'is not a number (up to 0.005 passes)',
  );
  expect(commandIn('run `carryover setup cuda` where they can be downloaded')).toBe(
    'carryover setup cuda',
  );
  expect(commandIn('install the driver')).toBeNull();
});
