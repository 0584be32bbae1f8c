import { join } from 'node:path';
import { expect, test } from 'vitest';
import { caution } from '../../contract/analyses.ts';
import type { SuspectReport } from '../../contract/analyses.ts';
import { carryover } from './cli-support.ts';
import { pictures, temporaryFolder } from './datasets-folder.ts';
import { ended, openHome } from './studies-home.ts';

test('what the window says of a poor probe, the command says too', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'noise');
  await pictures(path, [''], ['cat', 'dog', 'owl'], 12);
  const home = join(folder, 'home');
  const workbench = openHome(home);
  const { handlers } = workbench;
  const scan = await ended(workbench, await handlers['datasets.scan']({ path }));
  const given = { scanId: scan.result ?? '', name: 'noise' };
  await ended(workbench, await handlers['datasets.import'](given));
  await workbench.close();

  const json = await carryover('--home', home, 'suspects', 'noise', '--json');
  const report = JSON.parse(json.stdout) as SuspectReport & { caution: string | null };
  expect(report.caution).toMatch(/close to guesses/);
  expect(report.caution).toBe(caution(report));
  const told = await carryover('--home', home, 'suspects', 'noise');
  expect(told.stdout).toContain(`${report.estimated} label errors estimated\n`);
  expect(told.stdout).toContain(`\ncaution: ${report.caution}\n`);
});
