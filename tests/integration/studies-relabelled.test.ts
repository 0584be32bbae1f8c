/** What the user changes in a data set makes a study on it another one; taken back, the same. */
import { expect, test } from 'vitest';
import { isUpToDate } from '../../host/studies/runner.ts';
import { ended, runStudy, shapesHome, shapesStudy } from './studies-home.ts';

test('results follow the labels, also back to runs that were done before', async () => {
  const { workbench } = await shapesHome();
  const { context, handlers } = workbench;
  const first = await runStudy(workbench, shapesStudy({ seeds: [0] }));
  const { id } = first;
  expect(await isUpToDate(context, id)).toBe(true);
  const again = async () => {
    await ended(workbench, await handlers['studies.start']({ id }));
    return handlers['studies.get']({ id });
  };
  const [dataset] = await handlers['datasets.list']({});
  const datasetId = dataset!.id;
  const filter = { text: 'thick/disc/0.png' };
  const change = { kind: 'relabel', value: 'box' } as const;
  const { id: changeId } = await handlers['datasets.change']({ datasetId, filter, change });
  expect(await isUpToDate(context, id)).toBe(false);
  const changed = await again();
  expect(await isUpToDate(context, id)).toBe(true);
  const idsOf = ({ plan }: typeof first) => plan.runs.map((run) => run.id);
  expect(idsOf(changed)).not.toEqual(idsOf(first));

  await handlers['datasets.undo']({ datasetId, changeId });
  expect(await isUpToDate(context, id)).toBe(false);
  const back = await again();
  expect(idsOf(back)).toEqual(idsOf(first));
  expect(back.results).toEqual(first.results);
  expect(await isUpToDate(context, id)).toBe(true);
});
