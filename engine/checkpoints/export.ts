import type { ArchitectureSpec } from '../../contract/architecture.ts';
import type { Preprocessing } from '../../contract/checkpoints.ts';
import type { Recipe } from '../../contract/study.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { encodeSafetensors } from '../formats/safetensors.ts';
import { METADATA_KEYS } from '../formats/told.ts';
import type { ModelOptions, ParameterSpec } from '../models/model.ts';
import type { Weights } from '../models/registry.ts';
import { buildModel } from '../models/registry.ts';
import { compileToOnnx } from '../runtime/onnx/compile.ts';
import { publishModel } from '../runtime/onnx/proto.ts';
import { buildInference } from '../train/step.ts';

/** Weights with all that is needed to use them. */
export interface Checkpoint {
  architecture: ArchitectureSpec;
  /** Outputs of the head; null without one. */
  classes: number | null;
  classNames: string[] | null;
  preprocessing: Preprocessing;
  /** By parameter name; a loose import or a checkpoint without a head lacks some. */
  weights: Weights;
}

/** The open side of an exported ONNX model. */
const BATCH = 'N';

/**
 * A checkpoint as safetensors: float32, our parameter names (torchvision's where the architecture
 * is), architecture, class names and preprocessing as JSON in the metadata, and what `more` says.
 */
export function encodeCheckpoint(
  checkpoint: Checkpoint,
  more: Readonly<Record<string, string>> = {},
): Uint8Array {
  const { weights } = checkpoint;
  const tensors = parametersOf(checkpoint).flatMap(({ name, shape }) => {
    const data = weights.get(name);
    return data ? [[name, { shape, data }] as const] : [];
  });
  return encodeSafetensors({
    tensors: new Map(tensors),
    metadata: { format: 'pt', ...metadataOf(checkpoint), ...more },
  });
}

/**
 * A checkpoint as an ONNX inference graph: input `images` [N, channel, row, column], normalised,
 * output `logits` [N, class]; metadata as in the safetensors. Only ONNX's own operators are used.
 * Throws `bad-input` naming a tensor that the checkpoint lacks.
 */
export function exportOnnx(
  checkpoint: Checkpoint,
  more: Readonly<Record<string, string>> = {},
): Uint8Array {
  requireComplete(checkpoint);
  const { graph } = buildInference(optionsOf(checkpoint));
  const model = compileToOnnx(graph, checkpoint.weights, { portable: true });
  return publishModel(model, {
    metadata: { ...metadataOf(checkpoint), ...more },
    batch: BATCH,
  });
}

/** Throws `bad-input` unless every parameter, head included, has its weights. */
function requireComplete(checkpoint: Checkpoint): void {
  const lacking = parametersOf(checkpoint).filter(({ name }) => !checkpoint.weights.has(name));
  const [first] = lacking;
  if (!first) return;
  const what = lacking.length === 1 ? 'tensor' : `${lacking.length} tensors`;
  throw new CarryoverError(
    'bad-input',
    `no ONNX graph of ${checkpoint.architecture.name} can be made: the weights lack the ${what} ${first.name}${lacking.length === 1 ? '' : ', …'}`,
    {
      value: first.name,
      wayOut: 'export what there is as safetensors, or export weights with all layers and a head',
    },
  );
}

function parametersOf(
  checkpoint: Pick<Checkpoint, 'architecture' | 'classes'>,
): readonly ParameterSpec[] {
  return buildModel(optionsOf(checkpoint)).parameters;
}

function optionsOf({
  architecture,
  classes,
}: Pick<Checkpoint, 'architecture' | 'classes'>): ModelOptions {
  return { architecture, classes: classes ?? 1, batch: 1, mode: 'evaluation' };
}

/** What our weights files say beside their tensors, under the keys that an import reads. */
export function metadataOf({
  architecture,
  classNames,
  preprocessing,
}: Pick<Checkpoint, 'architecture' | 'classNames' | 'preprocessing'>): Record<string, string> {
  return {
    [METADATA_KEYS.architecture]: JSON.stringify(architecture),
    [METADATA_KEYS.preprocessing]: JSON.stringify(preprocessing),
    ...(classNames ? { [METADATA_KEYS.classes]: JSON.stringify(classNames) } : {}),
  };
}

/** How a run of ours fed its images: by its recipe, at this side in pixels. */
export function preprocessingOf(
  { mean, std, interpolation, resize }: Recipe,
  size: number,
): Preprocessing {
  return { size, mean, std, interpolation, crop: resize === 'crop' ? 1 : null };
}
