import { z } from 'zod';

/** An imported data set as lists show it. */
export interface DatasetSummary {
  id: string;
  name: string;
  root: string;
  /** SHA-256 over the sorted (domain, class, group, content hash) of its images. */
  contentHash: string;
  images: number;
  classes: number;
  domains: number;
  /** What the images are grouped by: a column of metadata.csv, or identical content. */
  groupedBy: string;
  createdAt: string;
}

export interface DatasetDetail extends DatasetSummary {
  classNames: string[];
  domainNames: string[];
  /** Images per domain and class: counts[domain][class]; 0 where there is none. */
  counts: number[][];
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
  /** How folders were read: `class/image` or `domain/class/image`. */
  layout: 'class' | 'domain/class';
  images: number;
  bytes: number;
  classNames: string[];
  domainNames: string[];
  counts: number[][];
  groupedBy: string;
  groups: number;
  /** Files not taken, each with its reason (all are listed, the list may be long). */
  skipped: SkippedFile[];
  /** Sets of files with identical bytes (paths relative to the root). */
  duplicates: string[][];
  /** Identical bytes under two classes: a label conflict. */
  conflicts: { paths: string[]; classes: string[] }[];
  /** What the user should know before committing (one class only, small classes ...). */
  warnings: string[];
  licences: { licence: string; images: number }[];
}

export interface ImageRow {
  id: number;
  /** Path relative to the data set's root. */
  path: string;
  domain: string;
  label: string;
  group: string;
  width: number;
  height: number;
}

export interface ImageDetail extends ImageRow {
  datasetId: string;
  absolutePath: string;
  bytes: number;
  sha256: string;
  format: string;
  licence: string | null;
  attribution: string | null;
  source: string | null;
  /** `ok`, or what happened to the file since the import. */
  state: 'ok' | 'missing' | 'changed';
}

/** A filter on the images of a data set; absent keys do not restrict. */
export const imageFilter = z.strictObject({
  domains: z.array(z.string()).optional(),
  labels: z.array(z.string()).optional(),
  /** Substring of the path, case-insensitive. */
  text: z.string().optional(),
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
  splits: Record<string, number>;
}
