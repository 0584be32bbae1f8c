import type { ArchitectureSpec } from '../../../contract/architecture.ts';
import type { MatchReport, Preprocessing } from '../../../contract/checkpoints.ts';

/** Endings that a dropped file is taken for weights by. */
const WEIGHTS = /\.(safetensors|pth|pt|ckpt|bin|tar|h5|hdf5|keras|onnx|json)$/i;

export const isWeightsName = (name: string): boolean => WEIGHTS.test(name);

/** "resnet18", with what departs from its usual drawing. */
export function architectureText(architecture: ArchitectureSpec): string {
  const { name, width, stem, channels, dialect } = architecture;
  const dialectText = dialect === 'torchvision' ? [] : [`as ${dialect} builds it`];
  const colours = channels === 1 ? 'grey' : 'RGB';
  return [name, ...dialectText, `width ${width}`, `${stem} stem`, colours].join(', ');
}

/** "224 px, mean 0.485 0.456 0.406, std …", with what is not known said so. */
export function preprocessingText(given: Preprocessing): string {
  const { size, mean, std, interpolation, crop } = given;
  const parts = [
    size === null ? 'size not said' : `${size} px`,
    mean === null ? 'mean not said' : `mean ${mean.join(' ')}`,
    std === null ? 'std not said' : `std ${std.join(' ')}`,
  ];
  if (interpolation !== null) parts.push(interpolation);
  if (crop !== null) parts.push(`centre crop ${crop}`);
  return parts.join(', ');
}

export type TensorState = 'matched' | 'missing' | 'unexpected' | 'another shape' | 'at random';

export interface TensorRow {
  state: TensorState;
  name: string;
  shape: string;
  /** Where it comes from, what is done to it, or why it starts at random. */
  note: string;
}

const shapeText = (shape: readonly number[]): string =>
  shape.length === 0 ? 'scalar' : shape.join(' × ');

/** Every tensor of a matching report, troubles first. */
export function tensorRows(match: MatchReport): TensorRow[] {
  const why = new Map(match.reinitialised.map((each) => [each.name, each.why]));
  const missing = match.missing.map(({ name, shape }) =>
    row('missing', name, shapeText(shape), 'starts at random in a loose import'),
  );
  const wrong = match.wrongShape.map(({ name, found, needed }) =>
    row('another shape', name, shapeText(found), `${shapeText(needed)} is needed`),
  );
  const unexpected = match.unexpected.map(({ name, shape }) =>
    row('unexpected', name, shapeText(shape), 'no place in this architecture'),
  );
  const listed = new Set([...missing, ...wrong].map(({ name }) => name));
  const random = [...why]
    .filter(([name]) => !listed.has(name))
    .map(([name, reason]) => row('at random', name, '', reason));
  const matched = match.matched.map(({ from, to, shape, how }) => {
    const notes = [...(from === to ? [] : [`from ${from}`]), ...(how === null ? [] : [how])];
    return row('matched', to, shapeText(shape), notes.join('; '));
  });
  return [...missing, ...wrong, ...unexpected, ...random, ...matched];
}

function row(state: TensorState, name: string, shape: string, note: string): TensorRow {
  return { state, name, shape, note };
}

/** What a person types of how images are fed; empty where it is not known. */
export interface PreprocessingForm {
  size: string;
  mean: string;
  std: string;
  interpolation: '' | 'bilinear' | 'bicubic';
  crop: string;
}

export function formOf(given: Preprocessing): PreprocessingForm {
  return {
    size: given.size === null ? '' : String(given.size),
    mean: given.mean?.join(', ') ?? '',
    std: given.std?.join(', ') ?? '',
    interpolation: given.interpolation ?? '',
    crop: given.crop === null ? '' : String(given.crop),
  };
}

type Triple = [number, number, number];
type Given = { -readonly [K in keyof Preprocessing]?: NonNullable<Preprocessing[K]> };

/** The form as a request has it, and the fields that cannot be read. */
export function readForm(form: PreprocessingForm): {
  given: Given;
  wrong: (keyof PreprocessingForm)[];
} {
  const given: Given = {};
  const wrong: (keyof PreprocessingForm)[] = [];
  const take = <K extends keyof Given>(key: K, read: () => Given[K] | undefined): void => {
    if (form[key].trim() === '') return;
    const value = read();
    if (value === undefined) wrong.push(key);
    else given[key] = value;
  };
  take('size', () => numberIn(form.size, (value) => Number.isInteger(value) && value >= 1));
  take('mean', () => tripleIn(form.mean, () => true));
  take('std', () => tripleIn(form.std, (value) => value > 0));
  take('interpolation', () => form.interpolation || undefined);
  take('crop', () => numberIn(form.crop, (value) => value > 0 && value <= 1));
  return { given, wrong };
}

function numberIn(text: string, legal: (value: number) => boolean): number | undefined {
  const value = Number(text);
  return Number.isFinite(value) && legal(value) ? value : undefined;
}

function tripleIn(text: string, legal: (value: number) => boolean): Triple | undefined {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  const values = parts.map((part) => numberIn(part, legal));
  return values.length === 3 && values.every((value) => value !== undefined)
    ? (values as Triple)
    : undefined;
}

/** How images are usually normalised. */
export const NORMALISATIONS = [
  { title: 'ImageNet', mean: '0.485, 0.456, 0.406', std: '0.229, 0.224, 0.225' },
  { title: '−1 to 1', mean: '0.5, 0.5, 0.5', std: '0.5, 0.5, 0.5' },
] as const;

/** A name for a checkpoint from its file's: without folders, endings and what a name may not hold. */
export function suggestedName(path: string): string {
  const file = path.split(/[\\/]/).filter(Boolean).at(-1) ?? '';
  const stem = file.replace(WEIGHTS, '').replaceAll(/[^A-Za-z0-9 ._-]+/g, '-');
  return stem.replace(/^[^A-Za-z0-9]+/, '').slice(0, 64) || 'checkpoint';
}
