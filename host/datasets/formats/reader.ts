/** What a format's reader is given and gives; one file per format beside this one. */
import type { FindingValue, SkippedFile, Task } from '../../../contract/datasets.ts';
import type { Reading, ReadingOffer } from '../../../contract/reading.ts';
import type { Tree, TreeFile } from '../tree.ts';

export type GivenSplit = 'train' | 'validation' | 'test';

/** An image that a source speaks of, before it was opened. */
export interface Candidate {
  file: TreeFile;
  /** In the file, from 0, where it holds several images. */
  frame: number | null;
  /** single-label: its class; null in multi-label sets. */
  label: string | null;
  /** multi-label: what is known of each finding; what is not mentioned is not in it. */
  findings: ReadonlyMap<string, FindingValue> | null;
  /** `all` where the source has no domains. */
  domain: string;
  split: GivenSplit | null;
  group: string | null;
  attributes: Readonly<Record<string, string>>;
  licence: string | null;
  attribution: string | null;
  source: string | null;
}

/** What a source says in all; no image has been decoded for it. */
export interface Read {
  task: Task;
  /** In the order of their paths and frames. */
  candidates: Candidate[];
  /** Files not taken, each with its reason. */
  skipped: SkippedFile[];
  warnings: string[];
  /** What `Candidate.group` is ("column patient"); null where no candidate has one. */
  groupedBy: string | null;
  /** Where the source fixes their order (an index, the order of columns); null: sorted. */
  classNames: string[] | null;
}

export interface ReadOptions {
  signal: AbortSignal;
  /** Candidates so far, where reading takes long. */
  onProgress?: (done: number) => void;
  /** Secret of this home that identifiers are hashed with before anything is stored. */
  salt: string;
}

/** A format: whether a tree is of it, and what it then says. */
export interface Reader<F extends Reading['format']> {
  format: F;
  /** Ways to read the tree, the best first; empty where it is not of this format. Must be quick. */
  offers(tree: Tree): Promise<ReadingOffer[]>;
  /** Throws CarryoverError `bad-input` naming file, line and value for what cannot be read at all. */
  read(tree: Tree, reading: Extract<Reading, { format: F }>, options: ReadOptions): Promise<Read>;
}
