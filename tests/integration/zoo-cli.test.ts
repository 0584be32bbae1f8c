import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ZOO } from '../../host/zoo/catalogue.ts';
import { carryover } from './cli-support.ts';

let home: string;
beforeAll(async () => {
  home = join(mkdtempSync(join(tmpdir(), 'carryover-zoo-cli-')), 'home');
  expect((await carryover('zoo', 'fetch', 'nothing', '--home', home)).code).toBe(1);
});
afterAll(() => rmSync(join(home, '..'), { recursive: true, force: true }));

it('lists every source and what is imported of it', async () => {
  const { stdout, code } = await carryover('zoo', '--home', home, '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(ZOO.map((source) => ({ ...source, checkpointId: null })));
  const table = await carryover('zoo', '--home', home);
  for (const { id } of ZOO) expect(table.stdout).toMatch(new RegExp(`^${id} .*`, 'm'));
  expect(table.stdout).toMatch(/^xrv-densenet121 .* cannot be imported as it is$/m);
});

it('explains what cannot be fetched, with exit code 1 and nothing fetched', async () => {
  const unknown = await carryover('zoo', 'fetch', 'vgg', '--home', home);
  expect(unknown).toMatchObject({ code: 1, stdout: '' });
  expect(unknown.stderr).toMatch(/no "vgg"[\s\S]*way out: choose one of mobilenetv2-8bit, /);
  const pickled = await carryover('zoo', 'fetch', 'xrv-densenet121', '--home', home, '--json');
  expect(pickled.code).toBe(1);
  expect(JSON.parse(pickled.stdout)).toMatchObject({
    error: { code: 'unsupported', message: expect.stringContaining('pickled') as string },
  });
  expect(existsSync(join(home, 'zoo'))).toBe(false);
});
