import type { Database } from 'better-sqlite3';
import { createHash, hash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { RequestBody } from '../../contract/api.ts';
import type {
  CheckpointDetail,
  MatchReport,
  Preprocessing,
  WeightsReport,
} from '../../contract/checkpoints.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { Match } from '../../engine/checkpoints/match.ts';
import { imageSize } from '../../engine/checkpoints/match.ts';
import type { Checkpoint } from '../../engine/checkpoints/export.ts';
import { encodeCheckpoint } from '../../engine/checkpoints/export.ts';
import type { Weights } from '../../engine/models/registry.ts';
import type { HostContext } from '../context.ts';
import { writeTransaction } from '../db/transaction.ts';
import { writeFileAtomic } from '../files.ts';
import { canonicalJson } from '../studies/identity.ts';
import type { Inspected } from './inspect.ts';
import { architectureName, inspectWeights, requireFinite } from './inspect.ts';
import { checkpointDetail, checkpointFile, insertCheckpoint, lookUpCheckpoint } from './store.ts';

/** As in a study file, whose `init` names it; `@` tells pretraining apart. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/;
const NAMES_SHOWN = 3;

/**
 * Brings a weights file into the home: its tensors under our names as float32 in a file of its own,
 * and a row; the original stays where it is and is not needed again. Strict unless `loose`. Throws
 * `bad-input` (name, tensors that do not fit), `conflict` (name or weights are there already),
 * `unsupported` (no architecture fits) and what reading and writing throw.
 * @param origin what it is said to come from; absent: the file
 */
export async function importCheckpoint(
  context: HostContext,
  body: RequestBody<'checkpoints.import'>,
  origin?: string,
): Promise<CheckpointDetail> {
  const name = body.name.trim();
  requireFreeName(context.db, name);
  const inspected = await inspectWeights(
    body.path,
    body.architecture === undefined ? {} : { architecture: architectureName(body.architecture) },
  );
  const match = fittingMatch(inspected, body.loose);
  requireFinite(inspected.report);
  const { weights } = inspected;
  const id = identityOf(match.report, weights);
  refuseTwin(context.db, id, origin ?? body.path);
  const preprocessing = preprocessingOf(inspected, body.preprocessing);
  const checkpoint: Checkpoint = {
    architecture: { ...match.report.architecture, image: imageSize(preprocessing.size) },
    classes: match.report.classes,
    classNames: classNamesOf(inspected),
    preprocessing,
    weights,
  };
  const licence = body.licence?.trim() || null;
  const report = { ...inspected.report, file: origin ?? inspected.report.file };
  await store(context, { id, name, licence, report }, checkpoint);
  return checkpointDetail(context.db, id);
}

/** The file first, then its row, so that a row always has its file. */
async function store(
  { db, home }: HostContext,
  row: { id: string; name: string; licence: string | null; report: WeightsReport },
  { weights, ...checkpoint }: Checkpoint,
): Promise<void> {
  const { id, name, report } = row;
  const data = encodeCheckpoint({ ...checkpoint, weights });
  const file = checkpointFile(home, id);
  await writeFileAtomic(file, data);
  try {
    writeTransaction(db, () => {
      requireFreeName(db, name);
      refuseTwin(db, id, report.file);
      insertCheckpoint(db, {
        ...checkpoint,
        ...row,
        format: report.format,
        source: report.file,
        parameters: countParameters(weights),
        bytes: data.byteLength,
        sha256: hash('sha256', data),
        createdAt: new Date().toISOString(),
      });
    });
  } catch (error) {
    if (nameOf(db, id) === undefined) await rm(file, { force: true });
    throw error;
  }
}

/** Throws `bad-input` or `conflict` unless a new checkpoint can have this name. */
export function requireFreeName(db: Database, name: string): void {
  if (!NAME.test(name)) {
    throw new CarryoverError('bad-input', `"${name}" cannot name a checkpoint`, {
      value: name,
      wayOut: 'use letters, digits, space, . _ - (64 at most, a letter or digit first)',
    });
  }
  if (lookUpCheckpoint(db, name) === null) return;
  throw new CarryoverError('conflict', `there is a checkpoint "${name}" already`, {
    value: name,
    wayOut: 'give this one another name, or remove the other first',
  });
}

function fittingMatch({ match, report }: Inspected, loose: boolean): Match {
  const { file } = report;
  if (!match) {
    throw new CarryoverError('unsupported', `${file}: ${report.warnings.at(-1) ?? 'no fit'}`, {
      file,
      wayOut: 'see what it holds with `carryover weights inspect`',
    });
  }
  const { architecture, matched } = match.report;
  if (matched.length === 0) {
    throw new CarryoverError('bad-input', `${file} has no tensor of ${architecture.name}`, {
      file,
      value: architecture.name,
      wayOut: 'name the architecture that it was made with, or leave that to Carryover',
    });
  }
  if (!match.report.strict && !loose) {
    throw new CarryoverError(
      'bad-input',
      `${file} does not fit ${architecture.name}: ${describe(match.report)}`,
      {
        file,
        value: architecture.name,
        wayOut: 'import it loosely (--loose) to take what matches; the rest then starts at random',
      },
    );
  }
  return match;
}

function describe({ missing, unexpected, wrongShape }: MatchReport): string {
  const lists = [
    ['missing', missing],
    ['unexpected', unexpected],
    ['of another shape', wrongShape],
  ] as const;
  return lists
    .filter(([, tensors]) => tensors.length > 0)
    .map(([what, tensors]) => {
      const names = tensors.slice(0, NAMES_SHOWN).map((tensor) => tensor.name);
      const more = tensors.length > NAMES_SHOWN ? ', …' : '';
      return `${tensors.length} ${what} (${names.join(', ')}${more})`;
    })
    .join(', ');
}

/** Equal weights of one architecture are one checkpoint, whatever file they came in. */
function identityOf({ architecture }: MatchReport, weights: Weights): string {
  const hash = createHash('sha256').update(canonicalJson({ ...architecture, image: 0 }));
  const names = [...weights.keys()].sort();
  for (const name of names) {
    const data = weights.get(name) ?? new Float32Array();
    hash.update(`${name}\n${data.length}\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return `c${hash.digest('hex').slice(0, 16)}`;
}

function refuseTwin(db: Database, id: string, file: string): void {
  const twin = nameOf(db, id);
  if (twin === undefined) return;
  throw new CarryoverError('conflict', `these weights were imported before as "${twin}"`, {
    file,
    value: twin,
    wayOut: `use "${twin}", or remove it first`,
  });
}

function nameOf(db: Database, id: string): string | undefined {
  return db.prepare<[string], string>('SELECT name FROM checkpoints WHERE id = ?').pluck().get(id);
}

/** The file's class names where there is one for each output of the head. */
function classNamesOf({ report }: Inspected): string[] | null {
  const { classNames, match } = report;
  return classNames?.length === match?.classes ? classNames : null;
}

/** What the file says, over which the user's word goes. */
function preprocessingOf(
  { report }: Inspected,
  given: RequestBody<'checkpoints.import'>['preprocessing'] = {},
): Preprocessing {
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...report.preprocessing, ...Object.fromEntries(said) };
}

/** Trained numbers; running statistics are none. */
function countParameters(weights: Weights): number {
  let total = 0;
  for (const [name, data] of weights) if (!/\.running_(mean|var)$/.test(name)) total += data.length;
  return total;
}
