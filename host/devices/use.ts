import type {
  DeviceChoice,
  DeviceId,
  DeviceReport,
  DevicesReport,
} from '../../contract/devices.ts';
import { DEVICE_IDS } from '../../contract/devices.ts';
import type { HostContext } from '../context.ts';
import { readSettings } from '../settings.ts';
import { fastest } from './choose.ts';
import { requireReady } from './ready.ts';
import type { Findings } from './store.ts';
import { readFindings } from './store.ts';
import type { TestOptions } from './test.ts';
import { findingsOn } from './test.ts';

type Context = Pick<HostContext, 'db' | 'home'>;

const OTHERS = DEVICE_IDS.filter((id) => id !== 'cpu');

/** The device that trains, by the settings. */
export interface DeviceInUse {
  id: DeviceId;
  /** Adapter and library; empty where that was not asked. */
  description: string;
}

/**
 * The device that the settings ask for. `auto` is the fastest that passes; the CPU needs no test
 * when no other device passes.
 * @throws CarryoverError `unsupported` when the chosen device does not pass, with its numbers
 */
export async function deviceToTrainOn(
  { db, home }: Context,
  options: TestOptions = {},
): Promise<DeviceInUse> {
  const { device } = readSettings(db);
  if (device === 'cpu') return { id: 'cpu', description: '' };
  if (device !== 'auto') return inUse(await requireReady(home, device, options));
  const { reports } = await findingsOn(home, OTHERS, options);
  if (OTHERS.every((id) => reports[id]?.state !== 'ready')) return { id: 'cpu', description: '' };
  const all = listed(await findingsOn(home, DEVICE_IDS, options));
  const { id } = fastest(all);
  return inUse(all.find((each) => each.id === id) as DeviceReport);
}

function inUse({ id, description }: DeviceReport): DeviceInUse {
  return { id, description };
}

/** The device that the settings ask for, by what is known now; nothing is tested. */
export function deviceInUse({ db, home }: Context): string {
  const { device } = readSettings(db);
  if (device !== 'auto') return device;
  const reports = listed(readFindings(home));
  return reports.length < DEVICE_IDS.length ? 'auto' : fastest(reports).id;
}

/** Findings on every device as the settings page and the command line show them. */
export function devicesReport(findings: Findings, chosen: DeviceChoice): DevicesReport {
  const devices = listed(findings);
  const { testedAt } = findings;
  return { devices, auto: fastest(devices), chosen, testedAt };
}

function listed({ reports }: Findings): DeviceReport[] {
  return DEVICE_IDS.flatMap((id) => reports[id] ?? []);
}
