import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { ArchitectureName } from '../../contract/architecture.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { Match } from '../../engine/checkpoints/match.ts';
import type { ElementType } from '../../engine/formats/elements.ts';
import { encodeNpy, readNpy } from '../../engine/formats/npy.ts';
import { OnnxInference } from '../../engine/runtime/onnx/trainer.ts';
import { writeFileAtomic } from '../files.ts';
import { inspectWeights, requireFinite } from './inspect.ts';

export interface LogitsRequest {
  file: string;
  architecture?: ArchitectureName;
  /** Of floating point, [image, channel, row, column], normalised; 1 or 3 channels, square, 32 pixels or more. */
  input: string;
  /** Gets float32 [image, class]. */
  out: string;
}

export interface LogitsResult {
  architecture: ArchitectureName;
  images: number;
  classes: number;
  /** What was done to the weights beyond a copy, and what to know of the file. */
  notes: string[];
}

const BATCH = 16;
const LEAST_SIDE = 32;

/**
 * Raw logits of a weights file, by the same code that studies run. Every tensor must match, the head
 * included. Throws `bad-input` naming the file, `unsupported` where no architecture fits.
 */
export async function fileLogits(request: LogitsRequest): Promise<LogitsResult> {
  const { input, out } = request;
  const images = readNpy(resolve(input));
  requireFloats(input, images.element);
  const [count, channels, side] = imageShape(input, images.shape);
  const { architecture } = request;
  const { report, match, weights } = await inspectWeights(request.file, {
    ...(architecture ? { architecture } : {}),
    channels,
  });
  const { file } = report;
  if (!match) {
    throw new CarryoverError('unsupported', `${file}: ${report.warnings.at(-1) ?? 'no fit'}`, {
      file,
    });
  }
  requireFinite(report);
  const { spec, classes } = wholeNetwork(file, match);
  const options = {
    architecture: { ...spec, image: side },
    classes,
    batch: Math.max(1, Math.min(BATCH, count)),
  };
  const network = await OnnxInference.create(options, weights, { threads: availableParallelism() });
  try {
    const logits = await runAll(network, images.data, { count, classes, batch: options.batch });
    await writeFileAtomic(resolve(out), encodeNpy({ shape: [count, classes], data: logits }));
  } finally {
    await network.close();
  }
  const adapted = match.report.matched.flatMap(({ to, how }) => (how ? [`${to}: ${how}`] : []));
  return {
    architecture: spec.name,
    images: count,
    classes,
    notes: [...report.warnings, ...adapted],
  };
}

/** Whole numbers are pixels that nobody has normalised. */
function requireFloats(file: string, element: ElementType): void {
  if (element.includes('float')) return;
  throw new CarryoverError('bad-input', `${file} holds ${element}, not normalised images`, {
    file,
    value: element,
    wayOut:
      'divide pixels by 255, take the mean away, divide by the standard deviation, and save the ' +
      'array as float32',
  });
}

function imageShape(file: string, shape: readonly number[]): [number, 1 | 3, number] {
  const [count, channels, rows, columns] = shape;
  const fits =
    shape.length === 4 &&
    (channels === 1 || channels === 3) &&
    rows === columns &&
    rows !== undefined &&
    rows >= LEAST_SIDE;
  if (fits && count !== undefined) return [count, channels, rows];
  throw new CarryoverError('bad-input', `${file} has the shape [${shape.join(', ')}]`, {
    file,
    value: shape.join(', '),
    wayOut: `give images x 1 or 3 channels x rows x columns, square, ${LEAST_SIDE} pixels or more`,
  });
}

function wholeNetwork(file: string, match: Match) {
  const { report } = match;
  const { architecture: spec, classes } = report;
  const [misfit] = [...report.missing, ...report.wrongShape, ...report.unexpected];
  if (misfit || classes === null) {
    const what = misfit ? `"${misfit.name}" does not fit` : 'the file has no head';
    throw new CarryoverError('bad-input', `${file} gives no logits as ${spec.name}: ${what}`, {
      file,
      value: spec.name,
      wayOut: 'see all that does not fit with `carryover weights inspect`',
    });
  }
  return { spec, classes };
}

async function runAll(
  network: OnnxInference,
  images: Float32Array,
  { count, classes, batch }: { count: number; classes: number; batch: number },
): Promise<Float32Array> {
  const logits = new Float32Array(count * classes);
  const each = count === 0 ? 0 : images.length / count;
  for (let first = 0; first < count; first += batch) {
    const size = Math.min(batch, count - first);
    const some = images.slice(first * each, (first + size) * each);
    logits.set((await network.run(some, size)).logits, first * classes);
  }
  return logits;
}
