import { readFile } from 'node:fs/promises';
import { architectureSchema } from '../../contract/architecture.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { Checkpoint } from '../../engine/checkpoints/export.ts';
import { encodeCheckpoint, exportOnnx, preprocessingOf } from '../../engine/checkpoints/export.ts';
import { decodeSafetensors } from '../../engine/formats/safetensors.ts';
import { METADATA_KEYS } from '../../engine/formats/told.ts';
import type { Weights } from '../../engine/models/registry.ts';
import type { HostContext } from '../context.ts';
import { fileError } from '../files.ts';
import { weightsFile } from '../studies/run-files.ts';
import { runSpec, runSummary } from '../studies/run-rows.ts';
import { checkpointDetail, checkpointFile } from './store.ts';

export const EXPORT_FORMATS = ['safetensors', 'onnx'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

type Place = Pick<HostContext, 'db' | 'home'>;

/** A file that others can read, in memory. */
export interface ExportedWeights {
  /** A name for it without folders: `<checkpoint or run>.<format>`. */
  name: string;
  data: Uint8Array;
  /** Side of the images that an ONNX graph takes, and who said so; null for safetensors. */
  side: { pixels: number; from: 'request' | 'weights' | 'default' } | null;
}

/**
 * The weights of a finished run (by id) or an imported checkpoint (by name or id) with class names,
 * preprocessing and what running statistics were recalibrated on.
 * Throws `not-found`, `conflict` when the run is not done, `bad-input` where ONNX needs tensors that
 * a checkpoint lacks, or no network takes images of this side.
 * @param size side in pixels that an ONNX graph is made for; absent: as the weights say
 */
export async function exportWeights(
  place: Place,
  source: string,
  format: ExportFormat,
  size?: number,
): Promise<ExportedWeights> {
  const { name, checkpoint, told } = await readSource(place, source);
  const fileName = `${name}.${format}`;
  if (format === 'safetensors') {
    if (size !== undefined) throw noSide(size, 'safetensors takes images of any side');
    return { name: fileName, data: encodeCheckpoint(checkpoint, told), side: null };
  }
  const sized = architectureSchema.safeParse({
    ...checkpoint.architecture,
    ...(size === undefined ? {} : { image: size }),
  });
  if (!sized.success) throw noSide(size, sized.error.issues[0]?.message ?? 'it is not usable');
  const { data: architecture } = sized;
  const said = checkpoint.preprocessing.size === architecture.image ? 'weights' : 'default';
  return {
    name: fileName,
    data: exportOnnx({ ...checkpoint, architecture }, told),
    side: { pixels: architecture.image, from: size === undefined ? said : 'request' },
  };
}

function noSide(size: number | undefined, why: string): CarryoverError {
  return new CarryoverError('bad-input', `--size ${size} cannot be exported: ${why}`, {
    value: String(size),
    wayOut: 'give --size with --format onnx, from 16 to 1024 pixels, or leave it out',
  });
}

/** Weights in the home and what they belong to. */
export interface Source {
  kind: 'run' | 'checkpoint';
  id: string;
  /** A run's is its id. */
  name: string;
  licence: string | null;
  checkpoint: Checkpoint;
  /** What its exports say beside architecture, classes and preprocessing. */
  told: Readonly<Record<string, string>>;
}

/**
 * The result of a finished run (by id) or an imported checkpoint (by name or id). Throws
 * `not-found`, `conflict` when the run is not done.
 */
export async function readSource(place: Place, source: string): Promise<Source> {
  const isRun = place.db.prepare('SELECT 1 FROM runs WHERE id = ?').get(source) !== undefined;
  if (isRun) {
    const checkpoint = await ofRun(place, source);
    return { kind: 'run', id: source, name: source, licence: null, checkpoint, told: {} };
  }
  return ofImported(place, source);
}

async function ofImported({ db, home }: Place, nameOrId: string): Promise<Source> {
  const { id, name, licence, report, ...rest } = checkpointDetail(db, nameOrId);
  const { architecture, classes, classNames, preprocessing } = rest;
  const weights = await readWeights(checkpointFile(home, id));
  const checkpoint = { architecture, classes, classNames, preprocessing, weights };
  const recalibrated = report.metadata[METADATA_KEYS.recalibrated];
  const told = recalibrated === undefined ? {} : { [METADATA_KEYS.recalibrated]: recalibrated };
  return { kind: 'checkpoint', id, name, licence, checkpoint, told };
}

async function ofRun(place: Place, id: string): Promise<Checkpoint> {
  const { status, bestEpoch, epochsDone } = runSummary(place.db, id);
  const file = status === 'done' ? weightsFile(place, id, bestEpoch ?? epochsDone) : null;
  if (file === null) {
    throw new CarryoverError('conflict', `run ${id} is ${status}: it has no final weights`, {
      value: id,
      wayOut: 'train it to its end first',
    });
  }
  const { architecture, classNames, recipe } = runSpec(place.db, id);
  return {
    architecture,
    classes: classNames.length,
    classNames,
    preprocessing: preprocessingOf(recipe, architecture.image),
    weights: await readWeights(file),
  };
}

async function readWeights(file: string): Promise<Weights> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw fileError(error, file, 'read');
  });
  const { tensors } = decodeSafetensors(bytes, file);
  return new Map([...tensors].map(([name, { data }]) => [name, data]));
}
