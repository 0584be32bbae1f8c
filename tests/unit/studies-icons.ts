/** A small data set in memory and studies on it. */
import Database from 'better-sqlite3';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { readMigrations } from '../../host/db/migrate.ts';
import type { Problem } from '../../host/studies/issues.ts';
import type { ParsedStudy } from '../../host/studies/parse.ts';
import type { ExpandedStudy } from '../../host/studies/plan.ts';
import { expandStudy } from '../../host/studies/plan.ts';
import { readStudy } from '../../host/studies/save.ts';

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));
export const CLASSES = ['ant', 'bee', 'cat'];
const DOMAINS = ['line', 'photo'];

export const STUDY = `name: small
pretraining:
  src: { data: { set: icons, domains: [line] }, epochs: 5 }
data: { set: icons, domain: photo, split: { train: 0.5, test: 0.5 } }
architecture: { name: fixup-resnet10, width: 8, image: 24 }
arms:
  P-T: { init: { checkpoint: src@last } }
  RI-T: { init: random }
seeds: [0, 1]
shuffles: [none, 4]
recipe: { augment: { flip: true } }
training: { epochs: 3, lr: { peak: 0.05 } }
`;

/** Migrated, with the data set `icons`. */
export function iconsDatabase(): Database.Database {
  const db = new Database(':memory:');
  for (const { sql } of readMigrations(MIGRATIONS)) db.exec(sql);
  addDataset(db, 'icons', 'd1');
  return db;
}

/** Eight images of each class in each domain, two to a group; ids and paths depend on `tag`. */
export function addDataset(db: Database.Database, name: string, tag: string): void {
  db.prepare(
    `INSERT INTO datasets VALUES (?, ?, '/pictures', '{}', 'single-label', 'hash', 'family', '{}', '')`,
  ).run(tag, name);
  const idOf = (table: string, each: string, at: number) =>
    db
      .prepare(`INSERT INTO ${table} (dataset_id, position, name) VALUES (?, ?, ?)`)
      .run(tag, at, each).lastInsertRowid;
  const classes = CLASSES.map((each, at) => idOf('classes', each, at));
  const domains = DOMAINS.map((each, at) => idOf('domains', each, at));
  DOMAINS.forEach((domain, d) =>
    CLASSES.forEach((label, c) => {
      for (let i = 0; i < 8; i++) {
        addImage(db, tag, `${domain}/${label}/${tag}-${i}.png`, classes[c]!, domains[d]!, {
          group: `${domain}-${label}-${i >> 1}`,
          content: `${domain} ${label} ${i}`,
        });
      }
    }),
  );
}

function addImage(
  db: Database.Database,
  dataset: string,
  path: string,
  classId: number | bigint,
  domainId: number | bigint,
  { group, content }: { group: string; content: string },
): void {
  const sha256 = createHash('sha256').update(content).digest('hex');
  db.prepare(
    `INSERT INTO images (dataset_id, path, file, class_id, domain_id, group_name, width, height, bytes,
       modified_ms, sha256, format) VALUES (?, ?, ?, ?, ?, ?, 24, 24, 9, 0, ?, 'png')`,
  ).run(dataset, path, path, classId, domainId, group, sha256);
}

/** A study laid out over the data; expects that nothing is wrong with it. */
export function expandOn(db: Database.Database, yaml: string): ExpandedStudy {
  const { study, problems } = layOut(db, yaml);
  expect(problems).toEqual([]);
  return study!;
}

/** What is wrong with a study on its data; its file must be sound. */
export function problemsOn(db: Database.Database, yaml: string): Problem[] {
  return layOut(db, yaml).problems;
}

function layOut(db: Database.Database, yaml: string) {
  const { spec, issues }: ParsedStudy = readStudy({ db }, yaml);
  expect(issues).toEqual([]);
  return expandStudy(db, spec!);
}
