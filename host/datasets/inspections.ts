/** What was found in files, kept so that a scan which was cut off or repeated does not look again. */
import type { Database, Statement } from 'better-sqlite3';
import { join } from 'node:path';
import { databaseError } from '../db/errors.ts';
import type { Inspected, Outcome } from './inspect.ts';
import type { TreeFile } from './tree.ts';

/** Raised whenever looking at the same file would give another result. */
const VERSION = 1;
const BATCH_ROWS = 500;
const BATCH_MILLISECONDS = 2000;

/** Images of one file or entry that are looked at together. */
export interface Piece {
  file: TreeFile;
  /** Absolute path of the file on disk. */
  absolute: string;
  /** Frames of it; [null] for a whole file. */
  frames: (number | null)[];
}

interface Row {
  bytes: number;
  modifiedMs: number;
  resultJson: string;
}

type Key = [file: string, entry: string];

/** The kept results of a home. Without a database nothing is known or kept. */
export class Inspections {
  readonly #db: Database | null;
  readonly #find: Statement<Key, Row> | undefined;
  #waiting: { key: Key; row: Row }[] = [];
  #writtenAt = performance.now();

  constructor(db: Database | null) {
    this.#db = db;
    this.#find = db?.prepare(
      `SELECT bytes, modified_ms AS modifiedMs, result_json AS resultJson FROM inspections
       WHERE file = ? AND entry = ?`,
    );
  }

  /** What was found in the frames of a piece when its file was as it is now; null where that is not known. */
  find(piece: Piece): Outcome[] | null {
    const row = this.#find?.get(...keyOf(piece));
    if (!row || row.bytes !== piece.file.fileBytes || row.modifiedMs !== piece.file.modifiedMs) {
      return null;
    }
    return parse(row.resultJson, piece.frames);
  }

  /** Keeps results; they are written in batches. Throws CarryoverError `disk-full` or `io`. */
  keep(piece: Piece, outcomes: Outcome[]): void {
    if (outcomes.some((outcome) => 'lasting' in outcome && !outcome.lasting)) return;
    const { fileBytes: bytes, modifiedMs } = piece.file;
    const resultJson = stringify(piece.frames, outcomes);
    this.#waiting.push({ key: keyOf(piece), row: { bytes, modifiedMs, resultJson } });
    const waited = performance.now() - this.#writtenAt;
    if (this.#waiting.length >= BATCH_ROWS || waited >= BATCH_MILLISECONDS) this.flush();
  }

  /** Writes what waits. */
  flush(): void {
    const rows = this.#waiting;
    this.#waiting = [];
    this.#writtenAt = performance.now();
    if (this.#db === null || this.#db.readonly || rows.length === 0) return;
    const write = this.#db.prepare<[...Key, number, number, string]>(
      'INSERT OR REPLACE INTO inspections VALUES (?, ?, ?, ?, ?)',
    );
    this.#transaction(this.#db, () => {
      for (const { key, row } of rows) write.run(...key, row.bytes, row.modifiedMs, row.resultJson);
    });
  }

  /** Forgets the files below a folder that are not there any more. */
  forgetGone(folder: string, there: readonly TreeFile[]): void {
    if (this.#db === null || this.#db.readonly) return;
    const known = new Set(there.map(({ file }) => join(folder, file)));
    const below = join(folder, '/');
    const files = this.#db
      .prepare<[string, string], string>(
        'SELECT DISTINCT file FROM inspections WHERE file >= ? AND file < ?',
      )
      .pluck()
      .all(below, `${below}\u{10FFFF}`);
    const forget = this.#db.prepare<[string]>('DELETE FROM inspections WHERE file = ?');
    this.#transaction(this.#db, () => {
      for (const file of files) if (!known.has(file)) forget.run(file);
    });
  }

  #transaction(db: Database, work: () => void): void {
    try {
      db.transaction(work).immediate();
    } catch (error) {
      throw databaseError(error, db.name);
    }
  }
}

/** A file with many frames has a row for each piece of them. */
function keyOf({ absolute, file, frames }: Piece): Key {
  const [first = null] = frames;
  return [absolute, `${file.entry ?? ''}${first === null ? '' : `#${first}`}`];
}

/** As JSON has it: the reason, or what was found with the hash in hex. */
type Stored = string | (Omit<Inspected, 'phash'> & { phash: string });

function stringify(frames: Piece['frames'], outcomes: Outcome[]): string {
  const found = outcomes.map((outcome, i): [number | null, Stored] => {
    const frame = frames[i] ?? null;
    if ('reason' in outcome) return [frame, outcome.reason];
    return [frame, { ...outcome, phash: outcome.phash.toString(16) }];
  });
  return JSON.stringify({ version: VERSION, found });
}

function parse(json: string, frames: Piece['frames']): Outcome[] | null {
  const kept = JSON.parse(json) as { version: number; found: [number | null, Stored][] };
  if (kept.version !== VERSION) return null;
  const byFrame = new Map(kept.found);
  const outcomes: Outcome[] = [];
  for (const frame of frames) {
    const found = byFrame.get(frame);
    if (found === undefined) return null;
    outcomes.push(toOutcome(found));
  }
  return outcomes;
}

function toOutcome(found: Stored): Outcome {
  if (typeof found === 'string') return { reason: found, lasting: true };
  return { ...found, phash: BigInt(`0x${found.phash}`) };
}
