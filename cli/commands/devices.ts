import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { DeviceChoice, DeviceReport, DevicesReport } from '../../contract/devices.ts';
import { DEVICE_CHOICES, DEVICE_IDS } from '../../contract/devices.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { GlobalOptions } from '../output.ts';
import {
  action,
  globalOptions,
  printJson,
  printLine,
  printTable,
  progressLine,
} from '../output.ts';

interface DevicesOptions extends GlobalOptions {
  test?: boolean;
}

/** `carryover devices [--test]` and `carryover devices use DEVICE`. */
export function register(program: Command): void {
  const devices = program
    .command('devices')
    .description('what can train here, and whether it passes its self-test')
    .option('--test', 'test every device again')
    .option('--json', 'print JSON')
    .action(action((_options: unknown, command: Command) => show(globalOptions(command))));
  devices
    .command('use <device>')
    .description(`choose the device that studies train on: ${DEVICE_CHOICES.join(', ')}`)
    .option('--json', 'print JSON')
    .action(
      action((device: string, _options: unknown, command: Command) =>
        use(device, globalOptions(command)),
      ),
    );
}

async function show({ home: given, json, test }: DevicesOptions): Promise<void> {
  const { createHome, resolveHome } = await import('../../host/home.ts');
  const { findingsOn, testDevices } = await import('../../host/devices/test.ts');
  const { devicesReport } = await import('../../host/devices/use.ts');
  const home = createHome(resolveHome(given));
  const chosen = await chosenDevice(home.database, given);
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort(new CarryoverError('cancelled', 'cancelled'));
  const line = progressLine();
  process.once('SIGINT', interrupt);
  try {
    const findings = await (test ? testDevices : findingsOn)(home, DEVICE_IDS, {
      signal: interrupted.signal,
      onProgress: (phase, done, total) =>
        line.show({ phase, done, total, unit: 'devices', rate: null, secondsLeft: null }),
    });
    line.end();
    const report = devicesReport(findings, chosen);
    if (json) printJson(report);
    else printReport(report);
  } finally {
    line.end();
    process.off('SIGINT', interrupt);
  }
}

/** What the settings of the home ask for, beside a running workbench too. */
async function chosenDevice(database: string, home: string | undefined): Promise<DeviceChoice> {
  const { DEFAULT_SETTINGS } = await import('../../host/settings.ts');
  if (!existsSync(database)) return DEFAULT_SETTINGS.device;
  const { openWorkbench } = await import('../../host/workbench.ts');
  const options = { command: 'devices', readonly: true, ...(home === undefined ? {} : { home }) };
  const workbench = openWorkbench(options);
  try {
    return (await workbench.handlers['settings.get']({})).device;
  } finally {
    await workbench.close();
  }
}

function printReport({ devices, auto, chosen, testedAt }: DevicesReport): void {
  printTable(devices, [
    { title: 'device', value: (row) => row.id },
    { title: 'name', value: (row) => row.title },
    { title: 'state', value: (row) => row.state },
    { title: 'ms/step', value: (row) => milliseconds(row) },
    { title: 'difference', value: (row) => row.selfTest?.difference?.toExponential(1) ?? null },
    { title: 'description', value: (row) => row.description || null },
  ]);
  for (const { id, reason, wayOut } of devices) {
    if (reason === null) continue;
    printLine(`${id}: ${reason}`);
    if (wayOut !== null) printLine(`  way out: ${wayOut}`);
  }
  printLine(`auto picks ${auto.id}: ${auto.why}`);
  printLine(`studies train on: ${chosen}; tested ${testedAt}`);
}

function milliseconds({ selfTest }: DeviceReport): number | null {
  const value = selfTest?.milliseconds ?? null;
  return value === null ? null : Number(value.toPrecision(3));
}

async function use(device: string, { home, json }: GlobalOptions): Promise<void> {
  const choice = DEVICE_CHOICES.find((each) => each === device);
  if (choice === undefined) {
    throw new CarryoverError('bad-input', `there is no device "${device}"`, {
      value: device,
      wayOut: `choose one of ${DEVICE_CHOICES.join(', ')}`,
    });
  }
  const { openWorkbench } = await import('../../host/workbench.ts');
  const workbench = openWorkbench({ command: 'devices', ...(home === undefined ? {} : { home }) });
  try {
    const settings = await workbench.handlers['settings.set']({ device: choice });
    if (json) printJson(settings);
    else printLine(`studies train on: ${settings.device}`);
  } finally {
    await workbench.close();
  }
}
