/** IEEE binary16 to float32 for every bit pattern, made on first use. */
let table: Float32Array | null = null;

/** The value of an IEEE half float's 16 bits. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** IEEE half floats, given as their bits, as float32: exact. */
export function halvesToFloats(bits: Uint16Array): Float32Array {
  table ??= Float32Array.from({ length: 0x10000 }, (_, pattern) => halfToNumber(pattern));
  const floats = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) floats[i] = table[bits[i]!]!;
  return floats;
}

/** bfloat16 values, given as their bits (the upper half of a float32), as float32: exact. */
export function brainFloatsToFloats(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  return new Float32Array(words.buffer);
}
