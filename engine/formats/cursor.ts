import type { ByteSource } from './bytes.ts';

const WINDOW = 2 ** 16;

/** Reads a source from front to back, a window at a time. Past its end it throws as the source does. */
export class ByteCursor {
  at: number;
  readonly source: ByteSource;
  #window: Uint8Array = new Uint8Array();
  #begin = 0;

  constructor(source: ByteSource, at = 0) {
    this.source = source;
    this.at = at;
  }

  byte(): number {
    const inside = this.at - this.#begin;
    if (inside >= 0 && inside < this.#window.length) {
      this.at += 1;
      return this.#window[inside]!;
    }
    this.#begin = this.at;
    const length = Math.max(1, Math.min(WINDOW, this.source.size - this.at));
    this.#window = this.source.read(this.at, length);
    this.at += 1;
    return this.#window[0]!;
  }

  /** The next `length` bytes, as a view of a copy. */
  take(length: number): Uint8Array {
    const inside = this.at - this.#begin;
    const known = inside >= 0 && inside + length <= this.#window.length;
    const bytes = known
      ? this.#window.slice(inside, inside + length)
      : this.source.read(this.at, length);
    this.at += length;
    return bytes;
  }

  /** An unsigned little-endian integer of up to 8 bytes; not exact beyond 2^53. */
  unsigned(length: number): number {
    let value = 0;
    for (let i = 0, unit = 1; i < length; i++, unit *= 256) value += this.byte() * unit;
    return value;
  }

  signed32(): number {
    return this.unsigned(4) | 0;
  }

  /** A line of at most `limit` bytes, without its end. */
  line(limit = 4096): string {
    const bytes: number[] = [];
    for (let byte = this.byte(); byte !== 0x0a; byte = this.byte()) {
      if (bytes.length === limit) throw new RangeError(`a line is longer than ${limit} bytes`);
      bytes.push(byte);
    }
    return new TextDecoder().decode(Uint8Array.from(bytes));
  }
}
