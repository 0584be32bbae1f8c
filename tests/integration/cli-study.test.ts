import { expect, test, vi } from 'vitest';
import { carryover } from './cli-support.ts';
import { put, temporaryFolder } from './datasets-folder.ts';
import { onlyRandom, runStudy, shapesHome, shapesStudy } from './studies-home.ts';

vi.setConfig({ testTimeout: 300_000 });

test('a file that says something else than the stored study of its name is told of', async () => {
  const { home, workbench } = await shapesHome(4);
  const yaml = onlyRandom(shapesStudy({ epochs: 1, seeds: [0] }));
  await runStudy(workbench, yaml);
  await workbench.close();
  const study = (...args: string[]) => carryover('--home', home, 'study', ...args);

  const same = put(home, '../same.yaml', `# a remark\n${yaml}`);
  const other = put(home, '../other.yaml', yaml.replace('epochs: 1', 'epochs: 2'));
  const told = `${other} says something else than the study that is stored and shown: \`carryover study run ${other}\``;
  expect((await study('status', other)).stdout).toContain(told);
  expect((await study('status', same)).stdout).not.toContain('says something else');
  for (const command of ['report', 'analyses']) {
    const differing = await study(command, other);
    expect(differing, command).toMatchObject({ code: 0, stderr: `note: ${told} makes it so\n` });
    expect((await study(command, same)).stderr, command).toBe('');
  }
  for (const command of ['status', 'report']) {
    const answers = await Promise.all(
      [other, same, 'shapes'].map((which) => study(command, which, '--json')),
    );
    const differ = answers.map(({ stdout }) => JSON.parse(stdout).fileDiffers);
    expect(differ, command).toEqual([true, false, false]);
  }
});

test('a study of a sample set that is not built says how to build it', async () => {
  const home = temporaryFolder();
  const sample = shapesStudy().replaceAll('set: shapes', 'set: icon-domains');
  const file = put(home, 'study.yaml', sample);
  const { code, stderr } = await carryover('--home', home, 'study', 'run', file);
  expect(code).toBe(1);
  expect(stderr).toContain('no data set "icon-domains": the sample set is not built here yet');
  expect(stderr).toMatch(/\nway out: carryover samples build icon-domains\n/);
});
