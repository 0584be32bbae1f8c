import type { ByteCursor } from './cursor.ts';

/** A Python tuple. Lists are arrays, dicts are Maps, bytes are Uint8Arrays. */
export class PickleTuple {
  readonly items: unknown[];

  constructor(items: unknown[]) {
    this.items = items;
  }
}

/** A class or function that the pickle names. It is a name here and nothing else. */
export class PickleGlobal {
  readonly module: string;
  readonly name: string;

  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }

  toString(): string {
    return `${this.module}.${this.name}`;
  }
}

/** What the pickle would have built by calling `callable`; nothing was called. */
export class PickleObject {
  readonly callable: PickleGlobal;

  constructor(callable: PickleGlobal) {
    this.callable = callable;
  }
}

/** What the reader of a pickle understands. */
export interface PickleRules {
  /** What `callable(...args)` means; undefined for all that is not on the reader's list. */
  call(callable: PickleGlobal, args: unknown[]): unknown;
  /** The object that the file keeps outside of the pickle. */
  persistent(id: unknown): unknown;
}

/** Bytes; more than any file of weights needs, so that a hostile one cannot fill the memory. */
const MAX_LITERALS = 2 ** 28;

/** The state of Python's pickle machine (Lib/pickletools.py describes its operations). */
export class PickleMachine {
  readonly cursor: ByteCursor;
  readonly rules: PickleRules;
  readonly memo = new Map<number, unknown>();
  stack: unknown[] = [];
  readonly #marked: unknown[][] = [];
  #literals = 0;

  constructor(cursor: ByteCursor, rules: PickleRules) {
    this.cursor = cursor;
    this.rules = rules;
  }

  push(value: unknown): void {
    this.stack.push(value);
  }

  pop(): unknown {
    if (this.stack.length === 0) throw new RangeError('its stack is empty too early');
    return this.stack.pop();
  }

  top(): unknown {
    if (this.stack.length === 0) throw new RangeError('its stack is empty too early');
    return this.stack[this.stack.length - 1];
  }

  mark(): void {
    this.#marked.push(this.stack);
    this.stack = [];
  }

  /** What was pushed since the last mark, which is removed. */
  sinceMark(): unknown[] {
    const below = this.#marked.pop();
    if (!below) throw new RangeError('a mark is missing');
    const items = this.stack;
    this.stack = below;
    return items;
  }

  literal(length: number): Uint8Array {
    this.#literals += length;
    if (this.#literals > MAX_LITERALS) throw new RangeError('its texts and bytes are too long');
    return this.cursor.take(length);
  }

  text(length: number): string {
    return new TextDecoder().decode(this.literal(length));
  }

  memoised(index: number): unknown {
    if (!this.memo.has(index))
      throw new RangeError(`it refers to value ${index}, which is not there`);
    return this.memo.get(index);
  }

  call(callable: unknown, args: unknown): unknown {
    if (!(callable instanceof PickleGlobal)) throw new TypeError('it calls what is not a function');
    if (!(args instanceof PickleTuple)) throw new TypeError('it calls without a list of arguments');
    return this.rules.call(callable, args.items) ?? new PickleObject(callable);
  }
}
