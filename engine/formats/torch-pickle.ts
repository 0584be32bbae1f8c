import { CarryoverError } from '../../contract/errors.ts';
import { unusable } from './failure.ts';
import { PickleGlobal, PickleObject, type PickleRules, PickleTuple } from './pickle-machine.ts';
import { type TorchStorage, TorchTensor, torchStorage } from './torch-tensors.ts';
import { ELEMENT_BYTES, type ElementType } from './elements.ts';

/** Modules whose functions act on the computer: no file of weights calls them. */
const HOSTILE_MODULES = new Set(
  'os posix nt subprocess sys runpy pty socket shutil ctypes importlib commands code webbrowser'.split(
    ' ',
  ),
);
const HOSTILE_BUILTINS = new Set(
  'eval exec execfile compile open __import__ apply input breakpoint'.split(' '),
);

/**
 * What torch.save writes into a pickle, and nothing else: the functions of PyTorch that put a
 * tensor together are known by name and done here; all other calls stay undone and are noted.
 */
export class TorchRules implements PickleRules {
  readonly file: string;
  /** Storages by key. */
  readonly storages = new Map<string, TorchStorage>();
  /** Names of classes and functions that the file uses and that were not built. */
  readonly strangers = new Set<string>();

  constructor(file: string) {
    this.file = file;
  }

  call(callable: PickleGlobal, args: unknown[]): unknown {
    const known = CALLS.get(callable.toString());
    if (known) return known(args, this);
    const root = callable.module.split('.')[0]!;
    const builtin = root === 'builtins' || root === '__builtin__';
    if (HOSTILE_MODULES.has(root) || (builtin && HOSTILE_BUILTINS.has(callable.name))) {
      throw hostile(this.file, callable);
    }
    if (!builtin) this.strangers.add(callable.toString());
    return undefined;
  }

  /** `('storage', class, key, device, length[, view])`, or `('module', class, source file, source)`. */
  persistent(id: unknown): unknown {
    const [kind, type, key, , length, view] = id instanceof PickleTuple ? id.items : [];
    if (kind === 'module') return type;
    if (kind !== 'storage' || !(type instanceof PickleGlobal)) {
      throw new TypeError('it refers to something outside that is no storage');
    }
    const name = String(key);
    const whole = this.storages.get(name) ?? torchStorage(name, type.name, length);
    this.storages.set(name, whole);
    if (!(view instanceof PickleTuple)) return torchStorage(name, type.name, length);
    const [, first, count] = view.items;
    return torchStorage(name, type.name, count, first as number);
  }
}

type Call = (args: unknown[], rules: TorchRules) => unknown;

const CALLS: ReadonlyMap<string, Call> = new Map<string, Call>([
  ['collections.OrderedDict', dict],
  ['collections.defaultdict', () => new Map()],
  ['torch.Size', ([sizes]) => sizes],
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_tensor_v3', rebuildTyped],
  ['torch._utils._rebuild_parameter', ([data]) => data],
  ['torch._utils._rebuild_parameter_with_state', ([data]) => data],
  ['torch._tensor._rebuild_from_type_v2', rebuildSubclass],
  ['torch.storage._load_from_bytes', (_, { file }) => refuseNested(file)],
  ['_codecs.encode', ([text]) => Buffer.from(String(text), 'latin1')],
  ['copyreg._reconstructor', reconstruct],
  ['copy_reg._reconstructor', reconstruct],
]);

function dict([pairs]: unknown[]): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  if (!Array.isArray(pairs)) return map;
  for (const pair of pairs as unknown[]) {
    const [key, value] = listOf(pair);
    map.set(key, value);
  }
  return map;
}

/** (storage, offset, size, stride, ...) */
function rebuildTensor([storage, offset, size, stride]: unknown[]): TorchTensor {
  return new TorchTensor(storageOf(storage), offset, listOf(size), listOf(stride));
}

/** (storage of bytes, offset, size, stride, requires_grad, hooks, dtype, ...) */
function rebuildTyped(args: unknown[]): TorchTensor {
  const bytes = storageOf(args[0]);
  const dtype = args[6] instanceof PickleGlobal ? args[6].name : '';
  if (!isElement(dtype)) throw new TypeError(`a tensor is of the type "${dtype}"`);
  const width = ELEMENT_BYTES[dtype];
  const length = Math.floor((bytes.length * bytes.width) / width);
  const typed = { ...bytes, element: dtype, width, length };
  return rebuildTensor([typed, ...args.slice(1)]);
}

function isElement(name: string): name is ElementType {
  return Object.hasOwn(ELEMENT_BYTES, name);
}

/** (function, class, arguments, state): a subclass of Tensor, read as a plain one. */
function rebuildSubclass([callable, , args]: unknown[], rules: TorchRules): unknown {
  if (!(callable instanceof PickleGlobal)) throw new TypeError('a tensor is built by no function');
  return rules.call(callable, listOf(args));
}

function reconstruct([type]: unknown[], rules: TorchRules): unknown {
  if (!(type instanceof PickleGlobal)) return undefined;
  rules.strangers.add(type.toString());
  return new PickleObject(type);
}

function storageOf(value: unknown): TorchStorage {
  const known = typeof value === 'object' && value !== null && 'width' in value && 'key' in value;
  if (!known) throw new TypeError('a tensor has no storage');
  return value as TorchStorage;
}

function listOf(value: unknown): unknown[] {
  if (value instanceof PickleTuple) return value.items;
  if (Array.isArray(value)) return value as unknown[];
  throw new TypeError('a list is missing');
}

function refuseNested(file: string): never {
  throw unusable(
    file,
    'PyTorch file',
    'its tensors were written by pickle.dump, as files within the file',
    'write it with torch.save(state_dict, path) instead',
  );
}

function hostile(file: string, callable: PickleGlobal): CarryoverError {
  return new CarryoverError(
    'bad-input',
    `${file} asks for ${callable.toString()} to be called as soon as PyTorch opens it. ` +
      'A file of weights needs no such thing: it may be hostile. Nothing was run.',
    {
      file,
      value: callable.toString(),
      wayOut: 'do not open it with PyTorch; take the weights from a source that you trust',
    },
  );
}
