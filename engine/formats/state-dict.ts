import { CarryoverError } from '../../contract/errors.ts';
import { unusable } from './failure.ts';
import { PickleObject, PickleTuple } from './pickle-machine.ts';
import { TorchTensor } from './torch-tensors.ts';

/** The weights among all that a checkpoint keeps. */
export interface StateDict {
  tensors: Map<string, TorchTensor>;
  metadata: Record<string, string>;
  classNames: string[] | null;
  warnings: string[];
}

/** Keys under which training scripts keep the weights, the likeliest first. */
const WEIGHT_KEYS = [
  'state_dict',
  'model_state_dict',
  'model',
  'module',
  'net',
  'network',
  'model_state',
  'weights',
  'state_dict_ema',
  'model_ema',
  'teacher',
  'student',
];
const CLASS_KEYS = ['classes', 'class_names', 'label_names', 'categories'];
const MAX_DEPTH = 4;
const MAX_VISITED = 100_000;
const MAX_TEXT = 10_000;

interface Found {
  path: string[];
  tensors: Map<string, TorchTensor>;
}

/**
 * Finds the state dict in what a PyTorch file holds: the whole, or the likeliest of the dicts of
 * tensors within. Texts and numbers beside it become metadata.
 * @throws CarryoverError `bad-input` where there is none: a whole model as pickle, a lone tensor
 */
export function findStateDict(root: unknown, file: string): StateDict {
  const { dicts, objects } = search(root);
  const weights = dicts.filter(({ path }) => !path.some((key) => /^optim/i.test(key)));
  const [best, ...others] = weights.sort(
    (a, b) => rankOf(a) - rankOf(b) || b.tensors.size - a.tensors.size,
  );
  const [object] = objects.sort((a, b) => rankOf(a) - rankOf(b));
  if (object && (!best || rankOf(object) < rankOf(best))) throw wholeModel(file, object);
  if (!best) throw noWeights(file, root);
  return {
    tensors: best.tensors,
    metadata: root instanceof Map && best.path.length > 0 ? textsOf(root) : {},
    classNames: root instanceof Map ? classesOf(root) : null,
    warnings: leftOut(best, others),
  };
}

interface StrangeObject {
  path: string[];
  object: PickleObject;
}

/** Breadth first, every container once: a hostile file can share one a million times. */
function search(root: unknown): { dicts: Found[]; objects: StrangeObject[] } {
  const dicts: Found[] = [];
  const objects: StrangeObject[] = [];
  const seen = new Set<unknown>([root]);
  const queue: { path: string[]; value: unknown }[] = [{ path: [], value: root }];
  for (const { path, value } of queue) {
    if (value instanceof PickleObject) objects.push({ path, object: value });
    const tensors = tensorsOf(value);
    if (tensors.size > 0) dicts.push({ path, tensors });
    if (path.length === MAX_DEPTH) continue;
    for (const [key, child] of childrenOf(value)) {
      if (typeof child !== 'object' || seen.has(child) || seen.size >= MAX_VISITED) continue;
      seen.add(child);
      queue.push({ path: [...path, String(key)], value: child });
    }
  }
  return { dicts, objects };
}

function tensorsOf(value: unknown): Map<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  if (!(value instanceof Map)) return tensors;
  for (const [key, item] of value as Map<unknown, unknown>) {
    if (typeof key === 'string' && item instanceof TorchTensor) tensors.set(key, item);
  }
  return tensors;
}

function childrenOf(value: unknown): Iterable<[unknown, unknown]> {
  if (value instanceof PickleTuple) return value.items.entries();
  return value instanceof Map || Array.isArray(value) ? value.entries() : [];
}

function rankOf({ path }: { path: string[] }): number {
  const last = path.at(-1);
  if (last === undefined) return WEIGHT_KEYS.length;
  const rank = WEIGHT_KEYS.indexOf(last);
  return rank < 0 ? WEIGHT_KEYS.length + 1 : rank;
}

function leftOut(best: Found, others: Found[]): string[] {
  const names = others
    .filter(({ tensors }) => tensors.size > 1)
    .map(({ path, tensors }) => `"${path.join('.')}" (${tensors.size} tensors)`);
  if (names.length === 0) return [];
  const read = best.path.length > 0 ? `"${best.path.join('.')}"` : 'its top level';
  return [`the weights were taken from ${read}; not read: ${names.slice(0, 5).join(', ')}`];
}

function textsOf(root: Map<unknown, unknown>): Record<string, string> {
  const texts: [string, string][] = [];
  for (const [key, value] of root) {
    const plain = ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
    if (typeof key === 'string' && plain) texts.push([key, String(value).slice(0, MAX_TEXT)]);
  }
  return Object.fromEntries(texts);
}

function classesOf(root: Map<unknown, unknown>): string[] | null {
  for (const key of CLASS_KEYS) {
    const value = root.get(key);
    const names: unknown[] = value instanceof PickleTuple ? value.items : asArray(value);
    if (names.length > 0 && names.every((name) => typeof name === 'string')) return names;
  }
  const byName = root.get('class_to_idx'); // ImageFolder's
  if (!(byName instanceof Map)) return null;
  const names: unknown[] = [];
  for (const [name, index] of byName as Map<unknown, unknown>) {
    if (typeof index !== 'number' || index < 0 || index >= byName.size) return null;
    names[index] = name;
  }
  return isFilled(names, byName.size) ? names : null;
}

function asArray(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function isFilled(names: unknown[], length: number): names is string[] {
  return Array.from({ length }, (_, i) => names[i]).every((name) => typeof name === 'string');
}

function wholeModel(file: string, { path, object }: StrangeObject): CarryoverError {
  const where = path.map((key) => `['${key}']`).join('');
  return new CarryoverError(
    'bad-input',
    `${file} holds a whole PyTorch object (${object.callable.toString()}), not the weights alone. ` +
      'To open it, a program has to import and run the Python code that the file names, and such a ' +
      'file can run anything on this computer. Carryover never runs code from a file.',
    {
      file,
      value: object.callable.toString(),
      wayOut:
        'if you trust the file, save its weights in Python, where its code is installed, and import that: ' +
        `model = torch.load('${baseName(file)}', map_location='cpu', weights_only=False)${where}; ` +
        "torch.save(model.state_dict(), 'weights.pth')",
    },
  );
}

function baseName(file: string): string {
  return file.replace(/^.*[\\/]/, '');
}

function noWeights(file: string, root: unknown): CarryoverError {
  const what = root instanceof TorchTensor ? 'one tensor without a name' : 'no tensors with names';
  return unusable(
    file,
    'file of weights',
    `it holds ${what}`,
    'save a state dict: torch.save(model.state_dict(), path)',
  );
}
