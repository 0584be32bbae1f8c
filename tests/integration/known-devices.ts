import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { DEVICE_IDS } from '../../contract/devices.ts';
import { findingsOn } from '../../host/devices/test.ts';
import { homePaths } from '../../host/home.ts';

/**
 * Gives a new home what is known of this machine's devices, so that its first training does not try
 * them all again. They are tried once for all tests.
 */
export async function knowDevices(home: string): Promise<void> {
  const shared = inject('sharedFolder');
  await findingsOn(
    homePaths(shared),
    DEVICE_IDS.filter((id) => id !== 'cpu'),
  );
  mkdirSync(home, { recursive: true });
  copyFileSync(join(shared, 'devices.json'), join(home, 'devices.json'));
}
