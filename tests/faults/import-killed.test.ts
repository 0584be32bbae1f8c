import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openWorkbench } from '../../host/workbench.ts';
import { killHard, nextLine, startChild, temporaryFolder } from './support.ts';

const IMAGES = 5000;
const KILLS = 8;

test('kill -9 at any moment of an import leaves whole data sets or nothing', async () => {
  const home = temporaryFolder();
  for (let round = 0; round < KILLS; round++) {
    const child = startChild('import-forever.ts', [home, String(IMAGES), String(round * 1000)]);
    expect(await nextLine(child)).toContain('importing');
    await sleep(Math.random() * 400);
    await killHard(child);

    const { context, close } = openWorkbench({ home, command: 'test' });
    const { db } = context;
    const sizes = db
      .prepare(
        `SELECT (SELECT count(*) FROM images i WHERE i.dataset_id = s.id) AS images,
           (SELECT count(*) FROM classes c WHERE c.dataset_id = s.id) AS classes,
           (SELECT count(*) FROM domains d WHERE d.dataset_id = s.id) AS domains
         FROM datasets s`,
      )
      .all();
    for (const size of sizes) expect(size).toEqual({ images: IMAGES, classes: 10, domains: 4 });
    expect(db.prepare('SELECT count(*) FROM images').pluck().get()).toBe(sizes.length * IMAGES);
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(db.pragma('foreign_key_check')).toEqual([]);
    await close();
  }
});
