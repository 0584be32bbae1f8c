import type { MatchReport } from '../../contract/checkpoints.ts';
import type { RawTensor } from '../formats/weights.ts';
import type { ParameterSpec } from '../models/model.ts';
import type { NamedTensor } from './names.ts';
import type { Weights } from '../models/registry.ts';
import { firstConvolution, greyToRgb, rgbToGrey } from './channels.ts';

/** How the tensors of a checkpoint meet the parameters of a network. */
export interface Meeting extends Pick<
  MatchReport,
  'matched' | 'missing' | 'unexpected' | 'wrongShape' | 'reinitialised'
> {
  /** Reads what matched, by parameter name; what is not here starts at random. */
  read(): Weights;
}

interface Fit {
  how: string | null;
  read: (tensor: RawTensor) => Float32Array;
}

const COPY: Fit = { how: null, read: (tensor) => tensor.read() };

/**
 * Lays the tensors of a checkpoint on the parameters of a network. The first convolution is
 * adapted between one and three channels (timm's rule). A file without any head is no mistake: the
 * head is drawn anew; everything else that is missing, left over or of another shape is listed as
 * such.
 */
export function meetParameters(
  tensors: ReadonlyMap<string, NamedTensor>,
  parameters: readonly ParameterSpec[],
): Meeting {
  const headless = !parameters.some(({ stage, name }) => stage === 'head' && tensors.has(name));
  const stem = firstConvolution(parameters);
  const lists: Lists = { matched: [], missing: [], wrongShape: [], reinitialised: [] };
  const taken: { name: string; tensor: RawTensor; fit: Fit }[] = [];
  for (const parameter of parameters) {
    const { name } = parameter;
    const found = tensors.get(name);
    const fit = found && fitOf(found.tensor.shape, parameter, parameter === stem);
    if (headless && parameter.stage === 'head') {
      lists.reinitialised.push({ name, why: 'the file has no head' });
    } else if (!found || !fit) {
      misfit(lists, parameter, found?.tensor.shape);
    } else {
      const how = [found.how, fit.how].filter((each) => each !== null).join('; ') || null;
      lists.matched.push({ from: found.from, to: name, shape: [...parameter.shape], how });
      taken.push({ name, tensor: found.tensor, fit });
    }
  }
  return {
    ...lists,
    unexpected: leftOver(tensors, parameters),
    read: () => new Map(taken.map(({ name, tensor, fit }) => [name, fit.read(tensor)])),
  };
}

type Lists = Omit<Meeting, 'read' | 'unexpected'>;

function misfit(lists: Lists, { name, shape }: ParameterSpec, found: number[] | undefined): void {
  const needed = [...shape];
  if (found) lists.wrongShape.push({ name, found, needed });
  else lists.missing.push({ name, shape: needed });
  const why = found ? `the file's shape is [${found.join(', ')}]` : 'the file does not have it';
  lists.reinitialised.push({ name, why });
}

function leftOver(
  tensors: ReadonlyMap<string, NamedTensor>,
  parameters: readonly ParameterSpec[],
): Meeting['unexpected'] {
  const known = new Set(parameters.map(({ name }) => name));
  return [...tensors].flatMap(([name, { from, tensor }]) =>
    known.has(name) ? [] : [{ name: from, shape: tensor.shape }],
  );
}

function fitOf(found: readonly number[], parameter: ParameterSpec, isStem: boolean): Fit | null {
  const needed = parameter.shape;
  if (sameShape(found, needed)) return COPY;
  if (!isStem || !sameShape([found[0], ...found.slice(2)], [needed[0], ...needed.slice(2)])) {
    return null;
  }
  if (found[1] === 3 && needed[1] === 1) {
    return {
      how: '3 channels to 1: sum of the filters',
      read: (t) => rgbToGrey(t.read(), t.shape),
    };
  }
  if (found[1] === 1 && needed[1] === 3) {
    return {
      how: '1 channel to 3: the filter three times, each a third',
      read: (t) => greyToRgb(t.read(), t.shape),
    };
  }
  return null;
}

function sameShape(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((side, i) => side === b[i]);
}
