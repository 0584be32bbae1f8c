/** What lies at a path that a user gave: a folder, a file, or an archive seen as a folder. */
import type { SkippedFile } from '../../contract/datasets.ts';

/** A regular file of a tree. */
export interface TreeFile {
  /** As the source's structure has it: relative to the folder, or inside the archive; '/' between parts. */
  path: string;
  /** The file on disk, relative to `Tree.root`. */
  file: string;
  /** In the archive that `file` is; null: the file itself. */
  entry: string | null;
  /** Of this file or entry. */
  bytes: number;
  /** Of the file on disk, to notice changes by. */
  fileBytes: number;
  modifiedMs: number;
}

export interface Tree {
  /** Real path of the folder; of a single file or an archive, the folder it lies in. */
  root: string;
  /** Name of the single file or archive that was given; null: a folder. */
  single: string | null;
  /** In the order of their paths. */
  files: TreeFile[];
  skipped: SkippedFile[];
  /** Listing was ended before all was seen (only where a limit was given). */
  truncated: boolean;
  /** By `TreeFile.path`. */
  find(path: string): TreeFile | null;
  /** The bytes of a file. Throws CarryoverError `io`, `not-found`, or `bad-input` over `limit` bytes. */
  read(file: TreeFile, limit?: number): Promise<Buffer>;
}

export interface TreeOptions {
  signal: AbortSignal;
  onFound?: (files: number) => void;
  /** Stops listing after so many files. */
  most?: number;
}
