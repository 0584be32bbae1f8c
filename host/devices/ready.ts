import type { DeviceId, DeviceReport } from '../../contract/devices.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { HomePaths } from '../context.ts';
import type { TestOptions } from './test.ts';
import { findingsOn } from './test.ts';

/**
 * The report of a device that may train; it is tested when it is not known.
 * @throws CarryoverError `unsupported` with what the self-test found
 */
export async function requireReady(
  home: HomePaths,
  id: DeviceId,
  options: TestOptions = {},
): Promise<DeviceReport> {
  const report = (await findingsOn(home, [id], options)).reports[id];
  if (report?.state === 'ready') return report;
  throw new CarryoverError(
    'unsupported',
    `${report?.title ?? id} cannot be used (${report?.state}): ${report?.reason}`,
    { value: id, ...(report?.wayOut && { wayOut: report.wayOut }) },
  );
}
