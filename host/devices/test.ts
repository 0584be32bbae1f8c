import type { DeviceId, DeviceReport } from '../../contract/devices.ts';
import { DEVICE_IDS } from '../../contract/devices.ts';
import { probeDevice } from '../../engine/runtime/devices/probe.ts';
import type { HomePaths } from '../context.ts';
import { TITLES, explain, unsupportedHere } from './explain.ts';
import type { Findings } from './store.ts';
import { readFindings, writeFindings } from './store.ts';

/** Compiling shaders takes a slow adapter a minute. */
const TIMEOUT_SECONDS = 300;

export interface TestOptions {
  signal?: AbortSignal;
  /** Also at the end, with `done` equal to `total`. */
  onProgress?: (phase: string, done: number, total: number) => void;
}

/** Tests devices one after another and keeps the findings in the home. */
export async function testDevices(
  home: HomePaths,
  ids: readonly DeviceId[] = DEVICE_IDS,
  { signal, onProgress }: TestOptions = {},
): Promise<Findings> {
  const reports: Findings['reports'] = {};
  for (const [done, id] of ids.entries()) {
    const phase = (doing: string): void =>
      onProgress?.(`${TITLES[id]}: ${doing}`, done, ids.length);
    phase('starting');
    reports[id] = await testDevice(id, phase, signal);
  }
  onProgress?.('tested', ids.length, ids.length);
  const findings = {
    testedAt: new Date().toISOString(),
    reports: { ...readFindings(home).reports, ...reports },
  };
  await writeFindings(home, findings);
  return findings;
}

async function testDevice(
  id: DeviceId,
  onPhase: (phase: string) => void,
  signal: AbortSignal | undefined,
): Promise<DeviceReport> {
  const unsupported = unsupportedHere(id, process.platform, process.arch);
  if (unsupported) return unsupported;
  return explain(id, await probeDevice(id, { timeoutSeconds: TIMEOUT_SECONDS, signal, onPhase }));
}

/** What is known of devices; what of it is not known or no longer holds is tested now. */
export async function findingsOn(
  home: HomePaths,
  ids: readonly DeviceId[],
  options: TestOptions = {},
): Promise<Findings> {
  const known = readFindings(home);
  const missing = ids.filter((id) => !known.reports[id]);
  return missing.length === 0 ? known : testDevices(home, missing, options);
}
