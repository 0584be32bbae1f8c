import type {
  ArchitectureInput,
  ArchitectureName,
  ArchitectureSpec,
} from '../../contract/architecture.ts';
import {
  ARCHITECTURE_DEFAULTS,
  ARCHITECTURES,
  architectureSchema,
} from '../../contract/architecture.ts';
import type { MatchReport } from '../../contract/checkpoints.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { RawWeights } from '../formats/weights.ts';
import { METADATA_KEYS } from '../formats/told.ts';
import type { ParameterSpec } from '../models/model.ts';
import { buildModel } from '../models/registry.ts';
import type { Weights } from '../models/registry.ts';
import { firstConvolution } from './channels.ts';
import { knownForeign } from './foreign.ts';
import { toTorchNames, whyNoTorchNames } from './keras.ts';
import type { Meeting } from './meet.ts';
import { meetParameters } from './meet.ts';
import type { NamedTensor } from './names.ts';
import { cleanNames } from './names.ts';

export interface MatchOptions {
  /** Absent: the one that fits best. */
  architecture?: ArchitectureName;
  /** Of the images that the network shall see; absent: as the file's first convolution. */
  channels?: 1 | 3;
}

export interface Match {
  report: MatchReport;
  /** What a user should know of how the images were fed. */
  warnings: string[];
  /** Reads the tensors that matched, under our names. */
  read(): Weights;
}

interface Candidate {
  architecture: ArchitectureSpec;
  classes: number | null;
  meeting: Meeting;
  /** Share of the architecture's parameters that the file has. */
  recall: number;
  /** Harmonic mean of that and the share of the file's tensors that are used. */
  score: number;
}

/** Below this share of its parameters an architecture is not what a file was made for. */
const LEAST_RECALL = 0.5;
const DEFAULT_SIZE = 224;

type Tensors = ReadonlyMap<string, NamedTensor>;

/**
 * Finds the architecture that a file's tensors belong to, with width, stem, channels and classes
 * from their shapes, and how each tensor meets it. Throws `unsupported` with the reason where no
 * architecture fits, or a network is recognised that is not among ours.
 */
export function matchWeights(raw: RawWeights, options: MatchOptions = {}): Match {
  const { tensors, specs, warnings } = understand(raw, options);
  refuseForeign(tensors);
  const candidates = specs.flatMap((spec) => meet(tensors, spec, options.channels));
  const best = candidates.reduce<Candidate | null>(
    (winner, each) => (winner && winner.score >= each.score ? winner : each),
    null,
  );
  if (!best || (best.recall < LEAST_RECALL && !options.architecture)) throw nothingFits(best);
  const { architecture, classes, meeting } = best;
  const { matched, missing, unexpected, wrongShape, reinitialised } = meeting;
  const strict = missing.length + unexpected.length + wrongShape.length === 0;
  const lists = { matched, missing, unexpected, wrongShape, reinitialised };
  return {
    report: { architecture, classes, ...lists, strict },
    warnings,
    read: () => meeting.read(),
  };
}

interface Understood {
  tensors: Tensors;
  /** What they may belong to. */
  specs: ArchitectureInput[];
  warnings: string[];
}

/** A file's tensors under our names: Keras' are renamed, others only cleaned. */
function understand(raw: RawWeights, options: MatchOptions): Understood {
  const reason = whyNoTorchNames(raw);
  if (reason !== null) throw new CarryoverError('unsupported', reason);
  const keras = toTorchNames(raw);
  if (!keras) {
    const specs = candidateSpecs(raw, options);
    return { tensors: cleanNames(raw.tensors), specs, warnings: [] };
  }
  const { architecture, dialect, origins } = keras;
  const tensors = [...keras.tensors].map(([name, tensor]): [string, NamedTensor] => {
    const { from, how } = origins.get(name) ?? { from: name, how: null };
    return [name, { from, how, tensor }];
  });
  const image = imageSize(raw.preprocessing.size);
  return {
    tensors: new Map(tensors),
    specs: [{ name: options.architecture ?? architecture, image, dialect }],
    warnings: keras.warnings.filter((warning) => !raw.warnings.includes(warning)),
  };
}

function refuseForeign(tensors: Tensors): void {
  const shapes = new Map([...tensors].map(([name, { tensor }]) => [name, tensor.shape]));
  const foreign = knownForeign(shapes);
  if (!foreign) return;
  throw new CarryoverError('unsupported', `this is ${foreign.title}: ${foreign.why}`, {
    value: foreign.title,
    wayOut: `bring weights of one of ${ARCHITECTURES.join(', ')}`,
  });
}

function nothingFits(best: Candidate | null): CarryoverError {
  const nearest = best
    ? `; the nearest is ${best.architecture.name}, of whose tensors the file has ${best.meeting.matched.length}`
    : '';
  return new CarryoverError('unsupported', `no architecture fits these tensors${nearest}`, {
    wayOut: 'compare their names with --architecture NAME, or bring weights in torchvision’s names',
  });
}

/** What the file says it is first, then every architecture with every stem. */
function candidateSpecs(raw: RawWeights, { architecture }: MatchOptions): ArchitectureInput[] {
  const image = imageSize(raw.preprocessing.size);
  const names = architecture ? [architecture] : ARCHITECTURES;
  const drawn = names.flatMap((name) => {
    const { stem } = ARCHITECTURE_DEFAULTS[name];
    const other: ArchitectureSpec['stem'] = stem === 'small' ? 'imagenet' : 'small';
    return [
      { name, image },
      { name, image, stem: other },
    ];
  });
  const own = ownSpec(raw);
  return own && names.includes(own.name) ? [own, ...drawn] : drawn;
}

/** The side that a network of ours is drawn for where its images had this one. */
export function imageSize(given: number | null): number {
  return given !== null && given >= 16 && given <= 1024 ? given : DEFAULT_SIZE;
}

/** The architecture that our own exports name. */
function ownSpec({ metadata }: RawWeights): ArchitectureSpec | null {
  try {
    return architectureSchema.parse(JSON.parse(metadata[METADATA_KEYS.architecture] ?? ''));
  } catch {
    return null; // absent, or another program's: the tensors decide
  }
}

/** The architecture as these tensors would have it; none where it cannot be drawn that wide. */
function meet(tensors: Tensors, spec: ArchitectureInput, channels?: 1 | 3): Candidate[] {
  try {
    return [candidateOf(tensors, spec, channels)];
  } catch (error) {
    if (error instanceof CarryoverError) return [];
    throw error;
  }
}

function candidateOf(tensors: Tensors, spec: ArchitectureInput, channels?: 1 | 3): Candidate {
  const drawn = parametersOf(architectureSchema.parse(spec), 1);
  const stem = tensors.get(firstConvolution(drawn)?.name ?? '')?.tensor.shape;
  const sized = architectureSchema.safeParse({
    ...spec,
    ...(stem ? { width: stem[0], channels: channels ?? stem[1] } : {}),
  });
  const architecture = sized.success ? sized.data : architectureSchema.parse(spec);
  const classes = classesOf(tensors, drawn);
  const parameters = parametersOf(architecture, classes ?? 1);
  const meeting = meetParameters(tensors, parameters);
  const matched = meeting.matched.length;
  return {
    architecture,
    classes,
    meeting,
    recall: matched / parameters.length,
    score: (2 * matched) / (parameters.length + tensors.size),
  };
}

function parametersOf(architecture: ArchitectureSpec, classes: number): ParameterSpec[] {
  return buildModel({ architecture, classes, batch: 1, mode: 'evaluation' }).parameters;
}

/** Outputs of the file's head; null when it has none. */
function classesOf(tensors: Tensors, parameters: readonly ParameterSpec[]): number | null {
  const weight = parameters.find(({ stage, shape }) => stage === 'head' && shape.length === 2);
  const shape = tensors.get(weight?.name ?? '')?.tensor.shape;
  return shape?.length === 2 ? (shape[0] ?? null) : null;
}
