import type { Database } from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Change, ImageFilter } from '../../contract/datasets.ts';
import { changeImages, listChanges, undoChange } from '../../host/datasets/changes.ts';
import { forgetColumns } from '../../host/datasets/columns.ts';
import { countImages, idsMatching, queryImages } from '../../host/datasets/query.ts';
import { getDetail, getImage } from '../../host/datasets/read.ts';
import { createEventBus } from '../../host/events.ts';
import type { RowImage } from './dataset-rows.ts';
import { emptyDatabase, insertDataset } from './dataset-rows.ts';

const SINGLE: RowImage[] = [
  { path: '1.png', label: 'cat' },
  { path: '2.png', label: 'cat' },
  { path: '3.png', label: 'dog' },
  { path: '4.png', label: 'dog', domain: 'other' },
];
const MULTI: RowImage[] = [
  { path: '1.png', findings: { Edema: 1, Nodule: -1 } },
  { path: '2.png', findings: { Edema: 0 } },
  { path: '3.png', findings: {} },
];

function prepared(images: RowImage[] = SINGLE) {
  const db = emptyDatabase();
  const ids = insertDataset(db, 'd', images);
  insertDataset(db, 'beside', images);
  const events = createEventBus();
  let told = 0;
  events.subscribe(() => told++);
  const context = { db, events };
  return {
    ...{ db, context, told: () => told, id: (path: string) => ids.get(path)! },
    change: (filter: ImageFilter, change: Change) => changeImages(context, 'd', filter, change),
    undo: (changeId: number) => undoChange(context, 'd', changeId),
    rows: (filter: ImageFilter = {}) =>
      queryImages(db, 'd', filter, { offset: 0, limit: 100 }).images,
    labels: () => stateOf(db, 'd').map(({ label }) => label),
  };
}

/** All that lists show of every image. */
function stateOf(db: Database, datasetId: string) {
  const filter = { excluded: 'with' } as const;
  return queryImages(db, datasetId, filter, { offset: 0, limit: 100 }).images;
}

const codeOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('changes', () => {
  test('relabel what matches, keep what was imported and tell everyone', async () => {
    const { db, change, rows, told, id } = prepared();
    const entry = change({ labels: ['cat'] }, { kind: 'relabel', value: 'dog' });
    expect(entry).toMatchObject({ kind: 'relabel', value: 'dog', images: 2, undoneAt: null });
    expect(told()).toBe(1);
    expect(rows({ relabelled: true }).map(({ label, relabelledFrom }) => [label, relabelledFrom])) //
      .toEqual([
        ['dog', 'cat'],
        ['dog', 'cat'],
      ]);
    expect(countImages(db, 'd', {})).toMatchObject({ labels: { cat: 0, dog: 4 }, relabelled: 2 });
    expect(getDetail(db, 'd').counts).toEqual([
      [0, 3],
      [0, 1],
    ]);
    expect(await getImage(db, id('1.png'))).toMatchObject({ label: 'dog', relabelledFrom: 'cat' });
    expect(stateOf(db, 'beside').map(({ label }) => label)).toEqual(['cat', 'cat', 'dog', 'dog']);
  });

  test('images that are so already are not counted; none that match is an error', () => {
    const { change } = prepared();
    expect(change({}, { kind: 'relabel', value: 'dog' }).images).toBe(2);
    expect(change({}, { kind: 'relabel', value: 'dog' }).images).toBe(0);
    expect(codeOf(() => change({ labels: ['cat'] }, { kind: 'exclude' }))).toBe('bad-input');
  });

  test('a new class comes last and goes with its last image', () => {
    const { db, change, undo } = prepared();
    const names = (): string[] => getDetail(db, 'd').classNames;
    const bird = change({ text: '1.png' }, { kind: 'relabel', value: 'bird' });
    change({ text: '2.png' }, { kind: 'relabel', value: 'ape' });
    expect(names()).toEqual(['cat', 'dog', 'bird', 'ape']);
    undo(bird.id);
    expect(names()).toEqual(['cat', 'dog', 'ape']);
    change({ text: '2.png' }, { kind: 'relabel', value: 'cat' });
    expect(names()).toEqual(['cat', 'dog']);
    expect(countImages(db, 'd', {}).labels).toEqual({ cat: 2, dog: 2 });
    // An imported class stays without any image.
    change({}, { kind: 'relabel', value: 'dog' });
    expect(names()).toEqual(['cat', 'dog']);
  });

  test('excluded images leave lists and counts until they are included again', () => {
    const { db, change, rows } = prepared();
    change({ text: '1.png' }, { kind: 'exclude' });
    expect(rows().map(({ path }) => path)).toEqual(['2.png', '3.png', '4.png']);
    expect(rows({ excluded: 'only' })).toMatchObject([{ path: '1.png', excluded: true }]);
    expect(countImages(db, 'd', {})).toMatchObject({ total: 3, excluded: 1, labels: { cat: 1 } });
    expect(getDetail(db, 'd').counts[0]).toEqual([1, 1]);
    expect(change({}, { kind: 'include' }).images).toBe(1);
    expect(rows()).toHaveLength(4);
  });

  test('tags are many on an image', () => {
    const { db, change, rows } = prepared();
    change({ labels: ['cat'] }, { kind: 'tag', value: 'odd' });
    const blurred = change({ text: '1.png' }, { kind: 'tag', value: 'blurred' });
    expect(rows({ tags: ['blurred', 'odd'] }).map(({ tags }) => tags)).toEqual([
      ['blurred', 'odd'],
      ['odd'],
    ]);
    expect(getDetail(db, 'd').tags).toEqual(['blurred', 'odd']);
    // A later change of another tag does not hold this one back.
    change({ text: '1.png' }, { kind: 'untag', value: 'odd' });
    expect(changeUndone(db, blurred.id)).toBe(false);
    expect(rows({ tags: ['blurred', 'odd'] })).toHaveLength(2);
  });

  test('findings take four values, and a relabelled one says what was imported', async () => {
    const { db, change, rows, id, undo } = prepared(MULTI);
    change({ text: '1.png' }, { kind: 'finding', value: 'Edema=0' });
    change({ text: '2.png' }, { kind: 'finding', value: 'Edema=1' });
    const blank = change({ text: '1.png' }, { kind: 'finding', value: 'Nodule=blank' });
    const findings = async (path: string) => (await getImage(db, id(path))).findings;
    expect(await findings('1.png')).toEqual({ Edema: 0 });
    expect(await findings('2.png')).toEqual({ Edema: 1 });
    expect(rows({ relabelled: true })).toMatchObject([
      { label: '', relabelledFrom: 'Edema' },
      { label: 'Edema', relabelledFrom: '' },
    ]);
    expect(countImages(db, 'd', {}).uncertain).toEqual({ Edema: 0, Nodule: 0 });
    undo(blank.id);
    expect(await findings('1.png')).toEqual({ Edema: 0, Nodule: -1 });
    change({ text: '3.png' }, { kind: 'finding', value: 'Cyst=1' });
    expect(getDetail(db, 'd').counts).toEqual([[1, 0, 1]]);
    change({ text: '1.png' }, { kind: 'finding', value: 'Edema=1' });
    expect(rows({ relabelled: true }).map(({ path }) => path)).toEqual(['2.png', '3.png']);
  });

  test('that do not fit the task are refused', () => {
    const [single, multi] = [prepared(), prepared(MULTI)];
    expect(codeOf(() => single.change({}, { kind: 'finding', value: 'x=1' }))).toBe('bad-input');
    expect(codeOf(() => multi.change({}, { kind: 'relabel', value: 'x' }))).toBe('bad-input');
    expect(listChanges(single.db, 'd')).toEqual([]);
  });
});

function changeUndone(db: Database, changeId: number): boolean {
  return listChanges(db, 'd').find(({ id }) => id === changeId)?.undoneAt !== null;
}

describe('undo', () => {
  test('gives back what was there, and says so in the history', () => {
    const { db, change, undo, labels } = prepared();
    const first = change({ text: '1.png' }, { kind: 'relabel', value: 'dog' });
    const undone = undo(first.id);
    expect(undone.undoneAt).not.toBeNull();
    expect(labels()).toEqual(['cat', 'cat', 'dog', 'dog']);
    expect(listChanges(db, 'd')).toEqual([undone]);
    expect(codeOf(() => undo(first.id))).toBe('conflict');
    expect(codeOf(() => undo(999))).toBe('not-found');
  });

  test('a later change of the same images stays in force, and is then undone to what was imported', () => {
    const { change, undo, labels } = prepared();
    const first = change({ labels: ['cat'] }, { kind: 'relabel', value: 'dog' });
    const second = change({ text: '1.png' }, { kind: 'relabel', value: 'bird' });
    undo(first.id);
    expect(labels()).toEqual(['bird', 'cat', 'dog', 'dog']);
    undo(second.id);
    expect(labels()).toEqual(['cat', 'cat', 'dog', 'dog']);
  });

  test('an earlier change that is in force comes back', () => {
    const { change, undo, labels } = prepared();
    change({ text: '1.png' }, { kind: 'relabel', value: 'dog' });
    const second = change({ text: '1.png' }, { kind: 'relabel', value: 'bird' });
    undo(second.id);
    expect(labels()[0]).toBe('dog');
  });
});

const files = fc.subarray(['1.png', '2.png', '3.png', '4.png'], { minLength: 1 });
const step = <T>(values: fc.Arbitrary<T>) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ images: files, change: values }) },
    { weight: 1, arbitrary: fc.record({ undo: fc.nat(20) }) },
  );
const common: fc.Arbitrary<Change>[] = [
  fc.record({ kind: fc.constantFrom('tag', 'untag'), value: fc.constantFrom('odd', 'good') }),
  fc.record({ kind: fc.constantFrom('exclude', 'include') }),
];
const label = fc.constantFrom('cat', 'dog', 'bird', 'ape');
const relabels = fc.oneof(fc.record({ kind: fc.constant('relabel'), value: label }), ...common);
const finding = fc
  .tuple(fc.constantFrom('Edema', 'Nodule', 'Cyst'), fc.constantFrom('1', '0', '-1', 'blank'))
  .map((parts) => parts.join('='));
const findings = fc.oneof(fc.record({ kind: fc.constant('finding'), value: finding }), ...common);

/** Everything the database says of the images now, views included. */
function allOf(db: Database, datasetId: string) {
  const all = (sql: string) => db.prepare(sql).all(datasetId);
  return {
    images: stateOf(db, datasetId),
    detail: { ...getDetail(db, datasetId), createdAt: '' },
    counts: countImages(db, datasetId, { excluded: 'with' }),
    overlays: all(
      `SELECT o.* FROM image_overlays o JOIN images i ON i.id = o.image_id
       WHERE i.dataset_id = ? ORDER BY 1`,
    ),
    findings: all(
      `SELECT f.* FROM current_findings f JOIN images i ON i.id = f.image_id
       WHERE i.dataset_id = ? ORDER BY 1, 2`,
    ),
    classes: all('SELECT id, position, name FROM classes WHERE dataset_id = ? ORDER BY 2'),
  };
}

test.each([
  ['classes', SINGLE, relabels],
  ['findings', MULTI, findings],
] as const)(
  'after any changes of %s, undoing all of them restores every image just as it was',
  (_, images, values) => {
    const db = emptyDatabase();
    const context = { db, events: createEventBus() };
    let sets = 0;
    fc.assert(
      fc.property(
        fc.array(step(values as fc.Arbitrary<Change>), { maxLength: 14 }),
        fc.infiniteStream(fc.nat()),
        (steps, order) => {
          const datasetId = `d${sets++}`;
          const ids = insertDataset(db, datasetId, images);
          const before = allOf(db, datasetId);
          const inForce = (): number[] =>
            listChanges(db, datasetId).flatMap(({ id, undoneAt }) => (undoneAt ? [] : [id]));
          const undoOne = (which: number): void => {
            const open = inForce();
            if (open.length > 0) undoChange(context, datasetId, open[which % open.length]!);
          };
          for (const each of steps) {
            if ('undo' in each) undoOne(each.undo);
            else {
              const wanted = each.images.flatMap((path) => ids.get(path) ?? []);
              const filter = { ids: wanted, excluded: 'with' } as const;
              if (wanted.length > 0) changeImages(context, datasetId, filter, each.change);
            }
            // What is kept in memory is what the database says.
            const kept = allOf(db, datasetId);
            const relabelled = [...idsMatching(db, datasetId, { relabelled: true })];
            forgetColumns(db, datasetId);
            expect(kept).toEqual(allOf(db, datasetId));
            expect(relabelled).toEqual([...idsMatching(db, datasetId, { relabelled: true })]);
          }
          while (inForce().length > 0) undoOne(order.next().value);
          expect(allOf(db, datasetId)).toEqual(before);
          expect(listChanges(db, datasetId).every(({ undoneAt }) => undoneAt !== null)).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  },
  60_000,
);
