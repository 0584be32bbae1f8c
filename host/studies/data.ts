import type { Database } from 'better-sqlite3';
import type { DatasetSummary, FindingValue } from '../../contract/datasets.ts';
import type { FindingTarget } from '../../engine/train/uncertain.ts';
import type { Place } from '../../engine/transforms/place.ts';
import { listNames, listSummaries } from '../datasets/read.ts';
import { absolutePath } from '../datasets/walk.ts';
import type { GivenSplit } from '../datasets/formats/reader.ts';
import type { ItemList } from '../trainer/protocol.ts';

/** An image as studies see it: with the user's changes. */
export interface StudyImage {
  id: number;
  /** What people see. */
  path: string;
  place: Place;
  domain: string;
  /** What it is learnt and scored as being: its class, or the findings that are present. */
  labels: readonly string[];
  /** Multi-label: what is known, as imported or changed; what is not mentioned is not in it. */
  findings: ReadonlyMap<string, FindingValue>;
  /** Multi-label, once findings are chosen: a target for each, in their order. */
  targets?: readonly FindingTarget[];
  group: string;
  /** As the source gives it. */
  split: GivenSplit | null;
  sha256: string;
}

/** A data set with its domains, in their order. */
export type StudyDataset = DatasetSummary & { domainNames: string[] };

/** The data set of that name, else of that id, or null. */
export function lookUpDataset(db: Database, nameOrId: string): StudyDataset | null {
  const all = listSummaries(db);
  const found = all.find(({ name }) => name === nameOrId) ?? all.find(({ id }) => id === nameOrId);
  return found ? { ...found, domainNames: listNames(db, 'domains', found.id) } : null;
}

interface ImageRow extends Pick<StudyImage, 'id' | 'path' | 'domain' | 'group' | 'split'> {
  file: string;
  entry: string | null;
  frame: number | null;
  label: string | null;
  sha256: string;
}

/**
 * Images of these domains, without those that are excluded, in an order that depends on nothing but
 * their classes and content.
 */
export function imagesOf(db: Database, dataset: StudyDataset, domains: string[]): StudyImage[] {
  const wanted = new Set(domains);
  const findings = findingsOf(db, dataset);
  const rows = db
    .prepare<[string], ImageRow>(
      `SELECT images.id, images.path, images.file, images.entry, images.frame,
              domains.name AS domain, classes.name AS label,
              images.group_name AS "group", images.split, images.sha256
       FROM current_images AS images JOIN domains ON domains.id = images.domain_id
                                     LEFT JOIN classes ON classes.id = images.class_id
       WHERE images.dataset_id = ? AND images.excluded = 0`,
    )
    .all(dataset.id)
    .filter((image) => wanted.has(image.domain));
  return rows.sort(byClassAndContent).map(({ file, entry, frame, label, ...row }) => ({
    ...row,
    place: { file: absolutePath(dataset.root, file), entry, frame },
    labels: label === null ? [] : [label],
    findings: findings.get(row.id) ?? NOTHING,
  }));
}

const NOTHING: ReadonlyMap<string, FindingValue> = new Map();

function findingsOf(
  db: Database,
  dataset: StudyDataset,
): ReadonlyMap<number, ReadonlyMap<string, FindingValue>> {
  const byImage = new Map<number, Map<string, FindingValue>>();
  if (dataset.task !== 'multi-label') return byImage;
  const rows = db
    .prepare<[string], { image: number; finding: string; value: FindingValue }>(
      `SELECT findings.image_id AS image, classes.name AS finding, findings.value
       FROM current_findings AS findings JOIN classes ON classes.id = findings.class_id
       WHERE classes.dataset_id = ?`,
    )
    .iterate(dataset.id);
  for (const { image, finding, value } of rows) {
    const own = byImage.get(image) ?? new Map<string, FindingValue>();
    byImage.set(image, own.set(finding, value));
  }
  return byImage;
}

function byClassAndContent(a: ImageRow, b: ImageRow): number {
  return (
    compare(a.label ?? '', b.label ?? '') || compare(a.sha256, b.sha256) || compare(a.path, b.path)
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** What the trainer is told of images. `labels`: the index of each class. */
export function itemsOf(
  images: readonly StudyImage[],
  labels: ReadonlyMap<string, number>,
): ItemList {
  const findings = images.flatMap(({ targets }) => (targets ? [[...targets]] : []));
  const multiLabel = findings.length > 0;
  return {
    imageIds: images.map(({ id }) => id),
    places: images.map(({ place }) => place),
    labels: multiLabel ? [] : images.map((image) => labels.get(image.labels[0] ?? '') ?? 0),
    ...(multiLabel && { findings }),
    hashes: images.map(({ sha256 }) => sha256),
  };
}

/** Images per class name; multi-label: with the finding present. */
export function countByClass(images: readonly StudyImage[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { labels } of images) {
    for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return counts;
}

/** Names of the attributes of a data set's images, in the order of its columns. */
export function attributeNames(db: Database, datasetId: string): string[] {
  return db
    .prepare<[string], string>('SELECT name FROM attributes WHERE dataset_id = ? ORDER BY position')
    .pluck()
    .all(datasetId);
}

/** The values of one attribute by image; images without a value are not in it. */
export function attributeValues(
  db: Database,
  datasetId: string,
  name: string,
): ReadonlyMap<number, string> {
  const rows = db
    .prepare<[string, string], { image: number; value: string }>(
      `SELECT own.image_id AS image, attribute_values.value
       FROM image_attributes AS own JOIN attribute_values ON attribute_values.id = own.value_id
            JOIN attributes ON attributes.id = attribute_values.attribute_id
       WHERE attributes.dataset_id = ? AND attributes.name = ?`,
    )
    .all(datasetId, name);
  return new Map(rows.map(({ image, value }) => [image, value]));
}
