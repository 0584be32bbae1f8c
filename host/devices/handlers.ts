import type { Handlers } from '../../contract/api.ts';
import { DEVICE_IDS } from '../../contract/devices.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { Job } from '../../contract/jobs.ts';
import type { HostContext } from '../context.ts';
import { readSettings } from '../settings.ts';
import { readFindings } from './store.ts';
import { testDevices } from './test.ts';
import { devicesReport } from './use.ts';

/** `devices.report` waits for a first test, which is a job like any. */
export function deviceHandlers(
  context: HostContext,
): Pick<Handlers, 'devices.report' | 'devices.test'> {
  return {
    'devices.report': async () => {
      const known = readFindings(context.home);
      if (DEVICE_IDS.some((id) => !known.reports[id])) await firstTest(context);
      return devicesReport(readFindings(context.home), readSettings(context.db).device);
    },
    'devices.test': () => underWay(context) ?? startTest(context),
  };
}

async function firstTest(context: HostContext): Promise<void> {
  const { id } = underWay(context) ?? startTest(context);
  const { status, failure } = await context.jobs.wait(id);
  if (status === 'done') return;
  if (failure) throw new CarryoverError(failure.code, failure.message, failure.detail);
  throw new CarryoverError('cancelled', 'the test of the devices was cancelled', {
    wayOut: 'test them again',
  });
}

function underWay({ jobs }: HostContext): Job | undefined {
  return jobs.list().find(({ kind, status }) => kind === 'devices' && status === 'running');
}

function startTest({ home, jobs }: HostContext): Job {
  const job = { kind: 'devices', title: 'Testing the devices', subject: 'devices' } as const;
  return jobs.start(job, async ({ signal, progress }) => {
    await testDevices(home, DEVICE_IDS, {
      signal,
      onProgress: (phase, done, total) =>
        progress({ phase, done, total, unit: 'devices', rate: null, secondsLeft: null }),
    });
    return null;
  });
}
