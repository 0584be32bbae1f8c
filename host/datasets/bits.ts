/** Sets of positions in a list, one bit each. */
export type Bits = Uint32Array;

/** The empty set over `length` positions. */
export function noBits(length: number): Bits {
  return new Uint32Array(Math.ceil(length / 32));
}

export function setBit(bits: Bits, position: number): void {
  bits[position >>> 5]! |= 1 << (position & 31);
}

export function hasBit(bits: Bits, position: number): boolean {
  return ((bits[position >>> 5]! >>> (position & 31)) & 1) === 1;
}

/** What is in any of the sets, over `length` positions. */
export function unionOf(sets: readonly Bits[], length: number): Bits {
  const union = noBits(length);
  for (const set of sets) {
    for (let word = 0; word < union.length; word++) union[word]! |= set[word]!;
  }
  return union;
}

/** What is not in the set; positions beyond the end of the list too. */
export function complementOf(set: Bits): Bits {
  return set.map((word) => ~word);
}

/** How many positions are in both sets. */
export function countCommon(a: Bits, b: Bits): number {
  let count = 0;
  for (let word = 0; word < a.length; word++) count += ones(a[word]! & b[word]!);
  return count;
}

/** Ones in 32 bits (Hacker's Delight, figure 5-2). */
function ones(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  x = (x + (x >>> 4)) & 0x0f0f0f0f;
  return Math.imul(x, 0x01010101) >>> 24;
}
