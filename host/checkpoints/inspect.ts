import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ArchitectureName } from '../../contract/architecture.ts';
import { ARCHITECTURES } from '../../contract/architecture.ts';
import type { WeightsReport } from '../../contract/checkpoints.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { Match, MatchOptions } from '../../engine/checkpoints/match.ts';
import { matchWeights } from '../../engine/checkpoints/match.ts';
import type { RawWeights } from '../../engine/formats/weights.ts';
import { readWeightsFile, weightsFileIn } from '../../engine/formats/weights.ts';
import type { Weights } from '../../engine/models/registry.ts';
import { hashFile } from '../datasets/inspect.ts';
import { fileError, systemCode } from '../files.ts';

/** A weights file as it was read, and what it is. */
export interface Inspected {
  report: WeightsReport;
  /** Null where no architecture fits. */
  match: Match | null;
  /** What matched, under our names; empty where no architecture fits. */
  weights: Weights;
}

/** The architecture of this name. Throws `bad-input` with the names that there are. */
export function architectureName(name: string): ArchitectureName {
  const found = ARCHITECTURES.find((each) => each === name);
  if (found) return found;
  throw new CarryoverError('bad-input', `there is no architecture "${name}"`, {
    value: name,
    wayOut: `give one of ${ARCHITECTURES.join(', ')}`,
  });
}

/**
 * Reads a weights file and meets it with an architecture (the best one when none is named). Where
 * none fits, `match` is null and the reason is the last warning. Throws what `readWeightsFile`
 * throws, `not-found` and `io`.
 */
export async function inspectWeights(path: string, options: MatchOptions = {}): Promise<Inspected> {
  const file = weightsFileIn(resolve(path));
  const bytes = await sizeOf(file);
  const raw = await readWeightsFile(file);
  const { match, warnings } = tryMatch(raw, options);
  const weights: Weights = match?.read() ?? new Map();
  const unusable = notFinite(weights);
  const { format, metadata, classNames, preprocessing } = raw;
  const tensors = [...raw.tensors].map(([name, { shape, dtype }]) => ({ name, shape, dtype }));
  const report: WeightsReport = {
    file,
    format,
    bytes,
    sha256: await hashFile(file),
    tensors,
    metadata,
    classNames,
    preprocessing,
    match: match && { ...match.report, strict: match.report.strict && unusable === null },
    unusable: unusable && `"${unusable.name}" holds ${unusable.value} at ${unusable.at}`,
    warnings: [...raw.warnings, ...warnings],
  };
  return { report, match, weights };
}

function notFinite(weights: Weights): { name: string; value: number; at: number } | null {
  for (const [name, data] of weights) {
    const at = data.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) return { name, value: data[at] ?? NaN, at };
  }
  return null;
}

/** Throws `bad-input` where numbers of the file that matched are not finite. */
export function requireFinite({ file, unusable }: WeightsReport): void {
  if (unusable === null) return;
  throw new CarryoverError('bad-input', `${file}: ${unusable}`, {
    file,
    wayOut: 'bring weights of a training that did not diverge',
  });
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw fileError(error, file, 'read');
    throw new CarryoverError('not-found', `there is no file ${file}`, {
      file,
      wayOut: 'check the path',
    });
  }
}

function tryMatch(
  raw: RawWeights,
  options: MatchOptions,
): { match: Match | null; warnings: string[] } {
  try {
    const match = matchWeights(raw, options);
    return { match, warnings: match.warnings };
  } catch (error) {
    if (!(error instanceof CarryoverError) || error.code !== 'unsupported') throw error;
    return { match: null, warnings: [error.message] };
  }
}
