/** The tables of a data set as files for other programs, piece by piece. */
import type { Database } from 'better-sqlite3';
import type { ChangeEntry, ImageDetail } from '../../contract/datasets.ts';
import type { Cell } from '../csv.ts';
import { asText, csvLine } from '../csv.ts';
import type { HostContext } from '../context.ts';
import { idsMatching } from './query.ts';
import { getSummary, listAttributeNames, listNames } from './read.ts';
import type { StoredRow } from './rows.ts';
import { FROM_IDS, ROW_COLUMNS, asRow, attributesOf, findingsOf } from './rows.ts';

/** Images that are read at once: between the pieces others may write. */
const AT_ONCE = 500;

export type TableImage = Omit<ImageDetail, 'datasetId' | 'absolutePath' | 'state'>;

/** All images in the order of their paths, in pieces. */
function* imagesOf(
  db: Database,
  datasetId: string,
  excluded: 'with' | 'without',
): Generator<TableImage[]> {
  const read = db.prepare<[string], StoredRow<Omit<TableImage, 'attributes'>>>(
    `SELECT ${ROW_COLUMNS}, i.split, i.bytes, i.sha256, i.format, i.licence, i.attribution, i.source
     ${FROM_IDS} ORDER BY j.key`,
  );
  const all = idsMatching(db, datasetId, { excluded });
  for (let from = 0; from < all.length; from += AT_ONCE) {
    const ids = [...all.subarray(from, from + AT_ONCE)];
    const findings = findingsOf(db, ids);
    const attributes = attributesOf(db, ids);
    yield read.all(JSON.stringify(ids)).map((stored) => ({
      ...asRow(stored),
      findings: findings.get(stored.id) ?? {},
      attributes: attributes.get(stored.id) ?? {},
    }));
  }
}

/** Every image with all that is known of it: CSV, a line each. Findings and attributes have their columns. */
export function* imagesCsv({ db }: HostContext, datasetId: string): Generator<string> {
  const findings = findingNames(db, datasetId);
  const attributes = listAttributeNames(db, datasetId);
  yield csvLine([
    ...['id', 'path', 'domain', 'label', 'imported_label', 'excluded', 'tags', 'split', 'group'],
    ...findings.map((name) => `finding: ${name}`),
    ...attributes.map((name) => `attribute: ${name}`),
    ...['width', 'height', 'bytes', 'format', 'sha256', 'licence', 'attribution', 'source'],
  ]);
  const line = (image: TableImage): string => {
    const { id, path, domain, label, relabelledFrom, excluded, tags, split, group } = image;
    return csvLine([
      id,
      ...[path, domain, label, relabelledFrom ?? label].map(asText),
      excluded ? 1 : 0,
      ...[tags.join(' | '), split ?? '', group].map(asText),
      ...findings.map((name) => image.findings[name] ?? null),
      ...attributes.map((name) => asText(image.attributes[name] ?? '')),
      ...[image.width, image.height, image.bytes, image.format, image.sha256],
      ...[image.licence, image.attribution, image.source].map((text) => asText(text ?? '')),
    ]);
  };
  for (const piece of imagesOf(db, datasetId, 'with')) yield piece.map(line).join('');
}

/** The same as JSON: an array of TableImage. */
export function imagesJson({ db }: HostContext, datasetId: string): Generator<string> {
  return jsonArray(imagesOf(db, datasetId, 'with'));
}

function* jsonArray(pieces: Iterable<object[]>): Generator<string> {
  let before = '[\n';
  for (const piece of pieces) {
    yield before + piece.map((item) => JSON.stringify(item)).join(',\n');
    before = ',\n';
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
}

/**
 * The labels now, as an imagefolder has them (`file_name,label,...`), without excluded images.
 * Multi-label: a column per finding instead, 1, 0, -1 or blank. Values are exact, for programs.
 */
export function* metadataCsv({ db }: HostContext, datasetId: string): Generator<string> {
  const findings = findingNames(db, datasetId);
  const attributes = listAttributeNames(db, datasetId);
  const labels = findings.length > 0 ? findings : ['label'];
  const fixed = ['file_name', ...labels, 'domain', 'group', 'split'];
  const origin = ['licence', 'attribution', 'source'];
  const taken = new Set([...fixed, ...origin]);
  const columns = attributes.map((name) => (taken.has(name) ? `attribute ${name}` : name));
  yield csvLine([...fixed, ...origin, ...columns]);
  const line = (image: TableImage): string => {
    const values: Cell[] =
      findings.length > 0 ? findings.map((name) => image.findings[name] ?? null) : [image.label];
    return csvLine([
      ...[image.path, ...values, image.domain, image.group, image.split],
      ...[image.licence, image.attribution, image.source],
      ...attributes.map((name) => image.attributes[name] ?? null),
    ]);
  };
  for (const piece of imagesOf(db, datasetId, 'without')) yield piece.map(line).join('');
}

interface ChangedImage extends Omit<ChangeEntry, 'images'> {
  imageId: number;
  path: string;
  before: string | null;
}

/** The history, oldest first, a row for each image that a change touched. */
function* changedImages(db: Database, datasetId: string): Generator<ChangedImage[]> {
  const after = db.prepare<[string, number, number, number], ChangedImage>(
    `SELECT c.id, c.kind, c.value, c.created_at AS createdAt, c.undone_at AS undoneAt,
       t.image_id AS imageId, i.path, t.before
     FROM changes c JOIN change_images t ON t.change_id = c.id JOIN images i ON i.id = t.image_id
     WHERE c.dataset_id = ? AND (c.id, t.image_id) > (?, ?)
     ORDER BY c.id, t.image_id LIMIT ?`,
  );
  let [change, image] = [0, 0];
  for (;;) {
    const rows = after.all(datasetId, change, image, AT_ONCE);
    const last = rows.at(-1);
    if (last === undefined) return;
    [change, image] = [last.id, last.imageId];
    yield rows;
  }
}

/** The history of changes as CSV. */
export function* changesCsv({ db }: HostContext, datasetId: string): Generator<string> {
  yield csvLine(['change', 'kind', 'value', 'path', 'before', 'created_at', 'undone_at']);
  for (const piece of changedImages(db, datasetId)) {
    yield piece
      .map(({ id, kind, value, path, before, createdAt, undoneAt }) =>
        csvLine([
          id,
          ...[kind, value ?? '', path, before ?? ''].map(asText),
          ...[createdAt, undoneAt],
        ]),
      )
      .join('');
  }
}

/** The same as JSON. */
export function changesJson({ db }: HostContext, datasetId: string): Generator<string> {
  return jsonArray(changedImages(db, datasetId));
}

/** The findings of a multi-label set; of another, none. */
function findingNames(db: Database, datasetId: string): string[] {
  const { task } = getSummary(db, datasetId);
  return task === 'multi-label' ? listNames(db, 'classes', datasetId) : [];
}
