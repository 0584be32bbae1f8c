import { expect, test } from 'vitest';
import type { StudyPlan } from '../../../contract/study.ts';
import { outdated } from '../../../renderer/src/studies/outdated.ts';

function planOf(...ids: string[]): StudyPlan {
  const run = { arm: 'RI-T', seed: 0, shuffle: 'none', kind: 'target' as const, done: true };
  return {
    ...{ trainImages: 4, validationImages: 0, testImages: 2, classNames: ['a', 'b'] },
    ...{ groupedBy: 'image', stages: [], warnings: [], runs: ids.map((id) => ({ ...run, id })) },
  };
}
const DONE = { status: 'done' as const, plan: planOf('r1', 'r2') };

test('results are outdated where the study has other runs now, or no longer fits', () => {
  expect(outdated(DONE, { plan: planOf('r1', 'r2'), issues: [] })).toBeNull();
  expect(outdated(DONE, { plan: planOf('r1', 'r3'), issues: [] })).toMatchObject({
    text: expect.stringContaining('1 of 2 runs') as string,
    fits: true,
  });
  const issue = { line: 2, path: 'data', message: 'only one class is left', suggestion: null };
  expect(outdated(DONE, { plan: null, issues: [issue] })).toMatchObject({
    text: expect.stringContaining('only one class is left') as string,
    fits: false,
  });
  const planned = { ...DONE, status: 'planned' as const };
  expect(outdated(planned, { plan: planOf('r3'), issues: [] })).toBeNull();
});
