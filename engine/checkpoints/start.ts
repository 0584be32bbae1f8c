import type { RawTensor } from '../formats/weights.ts';
import type { ParameterSpec } from '../models/model.ts';
import type { Weights } from '../models/registry.ts';
import { initialise } from '../models/registry.ts';
import { meetParameters } from './meet.ts';
import { cleanNames } from './names.ts';

export interface Start {
  /** Every parameter of the network. */
  weights: Weights;
  /** What was not simply copied, for people. */
  notes: string[];
}

/**
 * Where a network begins that starts from a checkpoint: the checkpoint's tensors wherever they fit
 * (first convolution adapted to the channels, head only for as many classes), everything else drawn
 * at random from `seed`.
 */
export function startFrom(
  checkpoint: ReadonlyMap<string, RawTensor>,
  parameters: readonly ParameterSpec[],
  seed: number,
): Start {
  const meeting = meetParameters(cleanNames(checkpoint), parameters);
  const weights = new Map([...initialise(parameters, seed), ...meeting.read()]);
  const adapted = meeting.matched.flatMap(({ to, how }) => (how === null ? [] : [`${to}: ${how}`]));
  const drawn = meeting.reinitialised.map(({ name, why }) => `${name} starts at random: ${why}`);
  return { weights, notes: [...adapted, ...drawn] };
}
