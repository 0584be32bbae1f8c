import { PickleGlobal, type PickleMachine, PickleObject, PickleTuple } from './pickle-machine.ts';

type Operation = (machine: PickleMachine) => void;

const MAX_INTEGER_BYTES = 1024;

/** Operations by their byte, in the words of Python's Lib/pickletools.py. */
export const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  ...operations({
    // Constants
    N: (machine) => machine.push(null),
    '\x88': (machine) => machine.push(true),
    '\x89': (machine) => machine.push(false),
    // Numbers
    J: (machine) => machine.push(machine.cursor.signed32()),
    K: (machine) => machine.push(machine.cursor.unsigned(1)),
    M: (machine) => machine.push(machine.cursor.unsigned(2)),
    G: (machine) => machine.push(float(machine.cursor.take(8))),
    '\x8a': (machine) => machine.push(integer(machine, machine.cursor.unsigned(1))),
    '\x8b': (machine) => machine.push(integer(machine, machine.cursor.unsigned(4))),
    I: (machine) => machine.push(textInteger(machine.cursor.line())),
    L: (machine) => machine.push(textInteger(machine.cursor.line().replace(/L$/, ''))),
    F: (machine) => machine.push(Number(machine.cursor.line())),
    // Texts and bytes
    U: (machine) => machine.push(machine.text(machine.cursor.unsigned(1))),
    T: (machine) => machine.push(machine.text(machine.cursor.unsigned(4))),
    X: (machine) => machine.push(machine.text(machine.cursor.unsigned(4))),
    '\x8c': (machine) => machine.push(machine.text(machine.cursor.unsigned(1))),
    '\x8d': (machine) => machine.push(machine.text(machine.cursor.unsigned(8))),
    B: (machine) => machine.push(machine.literal(machine.cursor.unsigned(4))),
    C: (machine) => machine.push(machine.literal(machine.cursor.unsigned(1))),
    '\x8e': (machine) => machine.push(machine.literal(machine.cursor.unsigned(8))),
    // Tuples, lists, dicts, sets
    '(': (machine) => machine.mark(),
    ')': (machine) => machine.push(new PickleTuple([])),
    t: (machine) => machine.push(new PickleTuple(machine.sinceMark())),
    '\x85': (machine) => tuple(machine, 1),
    '\x86': (machine) => tuple(machine, 2),
    '\x87': (machine) => tuple(machine, 3),
    ']': (machine) => machine.push([]),
    l: (machine) => machine.push(machine.sinceMark()),
    '}': (machine) => machine.push(new Map()),
    d: (machine) => machine.push(setItems(new Map(), machine.sinceMark())),
    a: (machine) => append(machine, [machine.pop()]),
    e: (machine) => append(machine, machine.sinceMark()),
    s: (machine) => assign(machine, [machine.pop(), machine.pop()].reverse()),
    u: (machine) => assign(machine, machine.sinceMark()),
    '\x8f': (machine) => machine.push(new Set()),
    '\x90': (machine) => append(machine, machine.sinceMark()),
    '\x91': (machine) => machine.push(new Set(machine.sinceMark())),
    // The stack and the memo
    '0': (machine) => machine.pop(),
    '1': (machine) => machine.sinceMark(),
    '2': (machine) => machine.push(machine.top()),
    q: (machine) => machine.memo.set(machine.cursor.unsigned(1), machine.top()),
    r: (machine) => machine.memo.set(machine.cursor.unsigned(4), machine.top()),
    p: (machine) => machine.memo.set(Number(machine.cursor.line()), machine.top()),
    '\x94': (machine) => machine.memo.set(machine.memo.size, machine.top()),
    h: (machine) => machine.push(machine.memoised(machine.cursor.unsigned(1))),
    j: (machine) => machine.push(machine.memoised(machine.cursor.unsigned(4))),
    g: (machine) => machine.push(machine.memoised(Number(machine.cursor.line()))),
    // Objects
    c: (machine) => machine.push(new PickleGlobal(machine.cursor.line(), machine.cursor.line())),
    '\x93': stackGlobal,
    R: call,
    '\x81': call,
    '\x92': (machine) => {
      machine.pop(); // named arguments
      call(machine);
    },
    o: (machine) => {
      const [callable, ...args] = machine.sinceMark();
      machine.push(machine.call(callable, new PickleTuple(args)));
    },
    b: build,
    Q: (machine) => machine.push(machine.rules.persistent(machine.pop())),
    P: (machine) => machine.push(machine.rules.persistent(machine.cursor.line())),
    // The frame
    '\x80': (machine) => checkProtocol(machine.cursor.unsigned(1)),
    '\x95': (machine) => void machine.cursor.unsigned(8),
  }),
]);

function operations(table: Record<string, Operation>): [number, Operation][] {
  return Object.entries(table).map(([code, run]) => [code.charCodeAt(0), run]);
}

function checkProtocol(version: number): void {
  if (version > 5) throw new RangeError(`its protocol is ${version}`);
}

function float(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0);
}

/** A two's complement little-endian integer; a bigint where a number is not exact. */
function integer(machine: PickleMachine, length: number): number | bigint {
  if (length > MAX_INTEGER_BYTES) throw new RangeError(`an integer of ${length} bytes`);
  let value = 0n;
  for (const [i, byte] of machine.literal(length).entries()) value |= BigInt(byte) << BigInt(8 * i);
  return exact(BigInt.asIntN(8 * length, value));
}

/** As `I` and `L` write it: decimal; 00 and 01 are the booleans of protocol 1. */
function textInteger(line: string): number | bigint | boolean {
  if (line === '00' || line === '01') return line === '01';
  if (!/^[+-]?\d{1,2000}$/.test(line)) throw new TypeError(`"${line}" is not an integer`);
  return exact(BigInt(line));
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function tuple(machine: PickleMachine, length: number): void {
  const items = Array.from({ length }, () => machine.pop()).reverse();
  machine.push(new PickleTuple(items));
}

function append(machine: PickleMachine, items: unknown[]): void {
  const target = machine.top();
  if (Array.isArray(target)) for (const item of items) target.push(item);
  else if (target instanceof Set) for (const item of items) target.add(item);
  else if (!(target instanceof PickleObject)) throw new TypeError('it appends to what is no list');
}

function assign(machine: PickleMachine, pairs: unknown[]): void {
  const target = machine.top();
  if (target instanceof Map) setItems(target, pairs);
  else if (!(target instanceof PickleObject))
    throw new TypeError('it sets a key of what is no dict');
}

function setItems(target: Map<unknown, unknown>, pairs: unknown[]): Map<unknown, unknown> {
  if (pairs.length % 2 !== 0) throw new RangeError('a key has no value');
  for (let i = 0; i < pairs.length; i += 2) target.set(pairs[i], pairs[i + 1]);
  return target;
}

function stackGlobal(machine: PickleMachine): void {
  const [name, module] = [machine.pop(), machine.pop()];
  if (typeof name !== 'string' || typeof module !== 'string') {
    throw new TypeError('the name of a class is not a text');
  }
  machine.push(new PickleGlobal(module, name));
}

function call(machine: PickleMachine): void {
  const args = machine.pop();
  machine.push(machine.call(machine.pop(), args));
}

/** The state of an object says nothing about weights; it is dropped, and no __setstate__ runs. */
function build(machine: PickleMachine): void {
  machine.pop();
  machine.top();
}
