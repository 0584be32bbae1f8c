/**
 * Tries one device in a process of its own, because a library that is missing or unfit can end the
 * process: `node probe-main.ts <device>`. Says `ProbeMessage`s by IPC; ends with 0 once it has said
 * what it found.
 */
import type { DeviceId } from '../../../contract/devices.ts';
import { DEVICE_IDS } from '../../../contract/devices.ts';
import { toFailure } from '../../../contract/errors.ts';
import { describeDevice } from './describe.ts';
import type { ProbeMessage } from './probe.ts';
import { selfTest } from './self-test.ts';

process.on('disconnect', () => process.exit(1));

const device = DEVICE_IDS.find((id) => id === process.argv[2]);
await say(device === undefined ? unknownDevice() : await probe(device));
process.exit(0);

async function probe(device: DeviceId): Promise<ProbeMessage> {
  try {
    const finding = await selfTest(device, (phase) => void say({ type: 'phase', phase }));
    return { type: 'tested', description: describeDevice(device), ...finding };
  } catch (error) {
    return { type: 'refused', failure: toFailure(error) };
  }
}

function unknownDevice(): ProbeMessage {
  const message = `there is no device "${process.argv[2]}"`;
  return { type: 'refused', failure: { code: 'bad-input', message } };
}

function say(message: ProbeMessage): Promise<void> {
  return new Promise((resolve) => {
    if (!process.send) resolve();
    else process.send(message, undefined, {}, () => resolve());
  });
}
