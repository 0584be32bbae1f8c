import type { Task } from '../../../contract/datasets.ts';
import { byCodeUnits } from '../order.ts';
import type { TreeFile } from '../tree.ts';
import type { Candidate, Read } from './reader.ts';

/** The domain of images of a source that has none. */
export const ONLY_DOMAIN = 'all';

/** A candidate of which only what is given is known. */
export function candidate(file: TreeFile, known: Partial<Omit<Candidate, 'file'>>): Candidate {
  return {
    file,
    frame: null,
    label: null,
    findings: null,
    domain: ONLY_DOMAIN,
    split: null,
    group: null,
    attributes: {},
    licence: null,
    attribution: null,
    source: null,
    ...known,
  };
}

/** A source that says nothing yet, for a reader to fill. */
export function emptyRead(task: Task): Read {
  return { task, candidates: [], skipped: [], warnings: [], groupedBy: null, classNames: null };
}

/** Puts what was read into the order of paths. */
export function inOrder(read: Read): Read {
  read.candidates.sort((a, b) => byCodeUnits(a.file.path, b.file.path));
  read.skipped.sort((a, b) => byCodeUnits(a.path, b.path));
  return read;
}
