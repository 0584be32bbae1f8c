import { z } from 'zod';
import type { Reading } from './reading.ts';

export type Task = 'single-label' | 'multi-label';

/** An imported data set as lists show it. */
export interface DatasetSummary {
  id: string;
  name: string;
  root: string;
  /** single-label: one class an image. multi-label: any number of findings, each with a value. */
  task: Task;
  /** SHA-256 over the sorted (domain, class, group, content hash) of its images, as imported. */
  contentHash: string;
  images: number;
  classes: number;
  domains: number;
  /** What the images are grouped by: a column or tag, a folder level, or identical content. */
  groupedBy: string;
  createdAt: string;
}

export interface DatasetDetail extends DatasetSummary {
  reading: Reading;
  classNames: string[];
  domainNames: string[];
  /**
   * Images per domain and class: counts[domain][class]; 0 where there is none. With the user's
   * changes, without excluded images. Multi-label: images with the finding present.
   */
  counts: number[][];
  /** Imported columns beside class and domain, with their distinct values in order. */
  attributes: { name: string; values: string[] }[];
  tags: string[];
  report: ImportReport;
  /** Studies that use it. */
  studies: { id: string; name: string }[];
}

export interface SkippedFile {
  /** Path relative to the root. */
  path: string;
  reason: string;
}

/** What a dry run of an import found, and what a finished import recorded. */
export interface ImportReport {
  root: string;
  reading: Reading;
  task: Task;
  images: number;
  bytes: number;
  classNames: string[];
  domainNames: string[];
  counts: number[][];
  /** Images per split, as the source gives them; empty where it gives none. */
  splits: Record<string, number>;
  attributeNames: string[];
  groupedBy: string;
  groups: number;
  /** Files not taken, each with its reason (all are listed, the list may be long). */
  skipped: SkippedFile[];
  /** Sets of files with identical bytes (paths relative to the root); of long ones only some. */
  duplicates: string[][];
  /** How many files each of these sets has. This and the next two: absent in older reports. */
  duplicateFiles?: number[];
  /** How many such sets there are. */
  duplicateSets?: number;
  /** Identical bytes under two classes: a label conflict. Of each class a path is listed. */
  conflicts: { paths: string[]; classes: string[]; files?: number }[];
  conflictSets?: number;
  /** What the user should know before committing (one class only, small classes ...). */
  warnings: string[];
  licences: { licence: string; images: number }[];
}

/** What is known of a finding on an image; absent: not mentioned. */
export type FindingValue = 1 | 0 | -1;

export interface ImageRow {
  id: number;
  /** Of the file relative to the root, then the entry in it and #frame where there are any. */
  path: string;
  domain: string;
  /** The class now; multi-label: the findings that are present, joined by ", ". */
  label: string;
  /** The class as imported, where the user changed it. */
  relabelledFrom: string | null;
  /** Multi-label: by finding, with the user's changes; empty otherwise. */
  findings: Record<string, FindingValue>;
  excluded: boolean;
  tags: string[];
  group: string;
  width: number;
  height: number;
}

export interface ImageDetail extends ImageRow {
  datasetId: string;
  absolutePath: string;
  /** As given by the source. */
  split: 'train' | 'validation' | 'test' | null;
  attributes: Record<string, string>;
  bytes: number;
  sha256: string;
  format: string;
  licence: string | null;
  attribution: string | null;
  source: string | null;
  /** `ok`, or what happened to the file since the import. */
  state: 'ok' | 'missing' | 'changed';
}

const names = z.array(z.string()).optional();

/** A filter on the images of a data set; absent keys do not restrict; the values of a key are alternatives. */
export const imageFilter = z.strictObject({
  domains: names,
  /** Classes now; multi-label: a finding that is present. */
  labels: names,
  /** Multi-label: findings that are uncertain, absent, not mentioned. */
  uncertain: names,
  absent: names,
  blank: names,
  tags: names,
  /** Splits as given by the source; `none`: it gives none. */
  given: z.array(z.enum(['train', 'validation', 'test', 'none'])).optional(),
  /** By attribute: any of these values. */
  attributes: z.record(z.string(), z.array(z.string())).optional(),
  /** Excluded images are left out unless asked for. */
  excluded: z.enum(['without', 'with', 'only']).optional(),
  /** Images whose class the user changed. */
  relabelled: z.literal(true).optional(),
  /** Substring of the path, case-insensitive. */
  text: z.string().optional(),
  /** Just these images, in this order (a lasso, neighbours, duplicates, suspects). */
  ids: z.array(z.int()).max(2_000_000).optional(),
  /** With `split`: images that play this part in that study. */
  studyId: z.string().optional(),
  split: z.enum(['train', 'validation', 'test', 'unused']).optional(),
});
export type ImageFilter = z.infer<typeof imageFilter>;

/** Per facet value: how many images match the filter without this facet's own restriction. */
export interface FilterCounts {
  total: number;
  domains: Record<string, number>;
  labels: Record<string, number>;
  uncertain: Record<string, number>;
  absent: Record<string, number>;
  blank: Record<string, number>;
  tags: Record<string, number>;
  given: Record<string, number>;
  attributes: Record<string, Record<string, number>>;
  splits: Record<string, number>;
  excluded: number;
  relabelled: number;
}

/** What the user can do to images. `value`: the class, `finding=1|0|-1|blank`, or the tag. */
export const changeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('relabel'), value: z.string().min(1) }),
  z.strictObject({ kind: z.literal('finding'), value: z.string().regex(/^.+=(1|0|-1|blank)$/) }),
  z.strictObject({ kind: z.enum(['tag', 'untag']), value: z.string().trim().min(1).max(64) }),
  z.strictObject({ kind: z.enum(['exclude', 'include']) }),
]);
export type Change = z.infer<typeof changeSchema>;

/** One entry of a data set's history. */
export interface ChangeEntry {
  id: number;
  kind: Change['kind'];
  value: string | null;
  images: number;
  createdAt: string;
  undoneAt: string | null;
}

/** What became of the files of a data set. */
export interface FileCheck {
  images: number;
  missing: { id: number; path: string }[];
  changed: { id: number; path: string }[];
}
