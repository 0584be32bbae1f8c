/** How a folder, a file or an archive is read as a data set. Found by looking, changed by the user. */
import { z } from 'zod';

/** What one level of folders means; `ignore` is passed over. */
export const levelSchema = z.union([
  z.enum(['domain', 'class', 'split', 'group', 'ignore']),
  z.strictObject({ attribute: z.string().min(1).max(100) }),
]);
export type Level = z.infer<typeof levelSchema>;

const column = z.string().min(1).max(500);

/** Where a table says what is on an image: one class, or findings. */
const labelColumns = z.discriminatedUnion('kind', [
  /** One column with the class. */
  z.strictObject({ kind: z.literal('class'), column }),
  /** One column per class with 1 in just one of them (ISIC). */
  z.strictObject({ kind: z.literal('one-hot'), columns: z.array(column).min(2) }),
  /** One column per finding: 1, 0, -1, blank (CheXpert). */
  z.strictObject({ kind: z.literal('findings'), columns: z.array(column).min(1) }),
  /** One column that lists the findings that are present; all others are absent (NIH). */
  z.strictObject({
    kind: z.literal('list'),
    column,
    separator: z.string().min(1).max(5).default('|'),
    /** What stands for "none of them". */
    none: z.string().default('No Finding'),
  }),
]);

export const tableColumnsSchema = z.strictObject({
  /** The image's path, relative to the table's folder or a file name found anywhere below it. */
  path: column,
  label: labelColumns,
  domain: column.optional(),
  group: column.optional(),
  split: column.optional(),
  licence: column.optional(),
  attribution: column.optional(),
  source: column.optional(),
  /** Kept as attributes, under the columns' names. */
  attributes: z.array(column).default([]),
});
export type TableColumns = z.infer<typeof tableColumnsSchema>;

export const readingSchema = z.discriminatedUnion('format', [
  /**
   * A tree of folders. `levels` are the folders from the top down; the last is the one the images
   * lie in. Deeper trees: folders between the last but one and the last are passed over. A
   * metadata.csv|jsonl at the root (column file_name) adds group, licence, attribution, source, attributes.
   */
  z.strictObject({ format: z.literal('folders'), levels: z.array(levelSchema).min(1).max(12) }),
  /** `<domain>_train.txt`, `<domain>_test.txt`: `path index` a line. The index is the class. */
  z.strictObject({ format: z.literal('domainnet') }),
  /** train.csv and valid.csv as published. */
  z.strictObject({ format: z.literal('chexpert') }),
  /** Any CSV, TSV or JSONL; `tables` are relative to the root. */
  z.strictObject({
    format: z.literal('table'),
    tables: z.array(z.string().min(1)).min(1),
    columns: tableColumnsSchema,
  }),
  /** MedMNIST: {train,val,test}_{images,labels} in one .npz. */
  z.strictObject({ format: z.literal('npz'), file: z.string().min(1) }),
  /** MNIST family: pairs of IDX files, gzipped or not. */
  z.strictObject({ format: z.literal('idx') }),
  /** COCO annotations; an image with several categories makes the set multi-label. */
  z.strictObject({ format: z.literal('coco'), files: z.array(z.string().min(1)).min(1) }),
  /** Tar shards: key.jpg with key.cls, key.txt or key.json. */
  z.strictObject({ format: z.literal('webdataset') }),
  /** DICOM files, series or a DICOMDIR. */
  z.strictObject({
    format: z.literal('dicom'),
    /** What is the class: a folder level counted from the image's own (1), or a tag. */
    label: z.enum(['folder', 'Modality', 'BodyPartExamined', 'SeriesDescription', 'ViewPosition']),
    domain: z.enum(['none', 'Modality', 'Manufacturer', 'ManufacturerModelName', 'StationName']),
  }),
]);
export type Reading = z.infer<typeof readingSchema>;
export type ReadingFormat = Reading['format'];

/** One level of folders, for choosing what it means. */
export interface FolderLevel {
  /** Distinct names. */
  names: number;
  examples: string[];
}

/** A column of a table, for choosing what it means. */
export interface TableColumn {
  name: string;
  distinct: number;
  blank: number;
  examples: string[];
}

/** One way to read what was dropped. */
export interface ReadingOffer {
  reading: Reading;
  /** "Folders: domain / class / image". */
  title: string;
  /** What speaks for it, in one sentence. */
  why: string;
}

/** What lies at a path, before any image is opened. */
export interface SourceLook {
  path: string;
  /** Suggested name of the data set. */
  name: string;
  /** Files below it; of a large tree as many as were listed in time. */
  files: number;
  truncated: boolean;
  /** The best first; empty where nothing fits, and `why` says why. */
  offers: ReadingOffer[];
  why: string | null;
  /** Levels of folders from the top, where there are folders. */
  levels: FolderLevel[];
  /** Tables at hand with their columns, by path relative to the root. */
  tables: { file: string; rows: number; columns: TableColumn[] }[];
}

/** An image as a reading would take it. */
export interface PreviewRow {
  path: string;
  domain: string;
  /** The class, or the findings that are present. */
  label: string;
  split: string | null;
  group: string | null;
  attributes: Record<string, string>;
}

/** What a reading would make of it, without any image being opened. */
export interface ReadingPreview {
  task: 'single-label' | 'multi-label';
  images: number;
  /** Of the first images of each class. */
  rows: PreviewRow[];
  classes: { name: string; images: number }[];
  domains: { name: string; images: number }[];
  splits: { name: string; images: number }[];
  skipped: number;
  /** The first few reasons with how often. */
  reasons: { reason: string; files: number }[];
  warnings: string[];
}

/** Words for a level of folders: `domain`, or an attribute's name in quotes. */
export function levelText(level: Level): string {
  return typeof level === 'string' ? level : `“${level.attribute}”`;
}

/** A reading in a few words, for lists and reports. */
export function readingText(reading: Reading): string {
  switch (reading.format) {
    case 'folders':
      return `folders: ${reading.levels.map(levelText).join(' / ')} / image`;
    case 'table':
      return `table: ${reading.tables.join(', ')}`;
    case 'npz':
      return `NumPy arrays: ${reading.file}`;
    case 'coco':
      return `COCO: ${reading.files.join(', ')}`;
    case 'domainnet':
      return 'DomainNet lists';
    case 'chexpert':
      return 'CheXpert';
    case 'idx':
      return 'IDX files';
    case 'webdataset':
      return 'WebDataset shards';
    case 'dicom':
      return 'DICOM';
  }
}
