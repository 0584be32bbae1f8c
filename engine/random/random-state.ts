import { CarryoverError } from '../../contract/errors.ts';

const WORDS = 624;
const SHIFT = 397;
const UPPER = 0x80000000;
const LOWER = 0x7fffffff;

/**
 * NumPy's legacy `numpy.random.RandomState`: MT19937 with the same seeding and the same ways of
 * drawing. Everything is bit-for-bit NumPy's, except that `normal`, `gamma` and `beta` may differ in
 * the last bits, where the logarithms and powers of V8 and of NumPy's C library round differently.
 */
export class RandomState {
  readonly #key = new Uint32Array(WORDS);
  #position = WORDS;
  #cachedNormal: number | null = null;

  /**
   * A number is seeded as `RandomState(seed)`, an array as `RandomState([..])` (init_by_array).
   * Throws bad-input unless every value is an integer in [0, 2^32 - 1] and the array is not empty.
   */
  constructor(seed: number | readonly number[]) {
    if (typeof seed === 'number') {
      checkSeed(seed);
      this.#seedNumber(seed);
      return;
    }
    if (seed.length === 0) throw new CarryoverError('bad-input', 'a seed array must not be empty');
    seed.forEach(checkSeed);
    this.#seedArray(seed);
  }

  /** The next 32 random bits, as an integer in [0, 2^32). */
  nextUint32(): number {
    if (this.#position === WORDS) this.#twist();
    let y = this.#key[this.#position++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** `random_sample()`: a double in [0, 1) with 53 random bits. */
  randomSample(): number {
    const high = this.nextUint32() >>> 5;
    const low = this.nextUint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** `uniform(low, high)`: a double in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.randomSample();
  }

  /** `randint(low, high)`: an integer in [low, high); high - low at most 2^32. */
  randint(low: number, high: number): number {
    return low + this.#interval(high - low - 1);
  }

  /** `standard_normal()`: polar Box-Muller, the second value of a pair kept for the next call. */
  normal(): number {
    const cached = this.#cachedNormal;
    if (cached !== null) {
      this.#cachedNormal = null;
      return cached;
    }
    let x: number, y: number, r: number;
    do {
      x = 2 * this.randomSample() - 1;
      y = 2 * this.randomSample() - 1;
      r = x * x + y * y;
    } while (r >= 1 || r === 0);
    const factor = Math.sqrt((-2 * Math.log(r)) / r);
    this.#cachedNormal = factor * x;
    return factor * y;
  }

  /** `standard_gamma(shape)`, shape > 0. */
  gamma(shape: number): number {
    if (shape === 1) return this.#exponential();
    return shape < 1 ? this.#smallGamma(shape) : this.#largeGamma(shape);
  }

  /** `beta(a, b)`, both > 0: a double in [0, 1]. */
  beta(a: number, b: number): number {
    if (a <= 1 && b <= 1) return this.#johnkBeta(a, b);
    const [x, y] = [this.gamma(a), this.gamma(b)];
    return x / (x + y);
  }

  /** `permutation(n)`: the numbers 0 .. n-1 in random order. */
  permutation(n: number): Int32Array {
    const values = new Int32Array(n);
    for (let i = 1; i < n; i++) values[i] = i;
    for (let i = n - 1; i > 0; i--) {
      const j = this.#interval(i);
      const kept = values[i]!;
      values[i] = values[j]!;
      values[j] = kept;
    }
    return values;
  }

  #exponential(): number {
    return -Math.log(1 - this.randomSample());
  }

  /** Ahrens and Dieter's GS, as NumPy writes it. */
  #smallGamma(shape: number): number {
    for (;;) {
      const u = this.randomSample();
      const v = this.#exponential();
      if (u <= 1 - shape) {
        const x = u ** (1 / shape);
        if (x <= v) return x;
      } else {
        const y = -Math.log((1 - u) / shape);
        const x = (1 - shape + shape * y) ** (1 / shape);
        if (x <= v + y) return x;
      }
    }
  }

  /** Marsaglia and Tsang's method. */
  #largeGamma(shape: number): number {
    const b = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * b);
    for (;;) {
      let x: number, root: number;
      do {
        x = this.normal();
        root = 1 + c * x;
      } while (root <= 0);
      const v = root * root * root;
      const u = this.randomSample();
      if (u < 1 - 0.0331 * (x * x) * (x * x)) return b * v;
      if (Math.log(u) < 0.5 * x * x + b * (1 - v + Math.log(v))) return b * v;
    }
  }

  /** Johnk's method; in logarithms where both powers are too small for a double. */
  #johnkBeta(a: number, b: number): number {
    for (;;) {
      const [u, v] = [this.randomSample(), this.randomSample()];
      const [x, y] = [u ** (1 / a), v ** (1 / b)];
      if (x + y > 1) continue;
      if (x + y > 0) return x / (x + y);
      const [logX, logY] = [Math.log(u) / a, Math.log(v) / b];
      const most = Math.max(logX, logY);
      const sum = Math.exp(logX - most) + Math.exp(logY - most);
      return Math.exp(logX - most - Math.log(sum));
    }
  }

  /** An integer in [0, max]: words masked to the smallest 2^k - 1 >= max, larger ones rejected. */
  #interval(max: number): number {
    if (max === 0) return 0;
    const mask = 0xffffffff >>> Math.clz32(max);
    let value: number;
    do value = (this.nextUint32() & mask) >>> 0;
    while (value > max);
    return value;
  }

  #seedNumber(seed: number): void {
    const key = this.#key;
    key[0] = seed;
    for (let i = 1; i < WORDS; i++) {
      const last = key[i - 1]!;
      key[i] = Math.imul(1812433253, last ^ (last >>> 30)) + i;
    }
  }

  #seedArray(seed: readonly number[]): void {
    this.#seedNumber(19650218);
    const key = this.#key;
    let i = 1;
    let j = 0;
    const advance = () => {
      i++;
      if (i >= WORDS) {
        key[0] = key[WORDS - 1]!;
        i = 1;
      }
    };
    const mixed = (factor: number) => {
      const last = key[i - 1]!;
      return key[i]! ^ Math.imul(last ^ (last >>> 30), factor);
    };
    for (let k = Math.max(WORDS, seed.length); k > 0; k--) {
      key[i] = mixed(1664525) + seed[j]! + j;
      advance();
      j = (j + 1) % seed.length;
    }
    for (let k = WORDS - 1; k > 0; k--) {
      key[i] = mixed(1566083941) - i;
      advance();
    }
    key[0] = UPPER;
  }

  #twist(): void {
    const key = this.#key;
    const next = (i: number, following: number, mixed: number) => {
      const y = (key[i]! & UPPER) | (key[following]! & LOWER);
      key[i] = key[mixed]! ^ (y >>> 1) ^ (-(y & 1) & 0x9908b0df);
    };
    for (let i = 0; i < WORDS - SHIFT; i++) next(i, i + 1, i + SHIFT);
    for (let i = WORDS - SHIFT; i < WORDS - 1; i++) next(i, i + 1, i + SHIFT - WORDS);
    next(WORDS - 1, 0, SHIFT - 1);
    this.#position = 0;
  }
}

function checkSeed(seed: number): void {
  if (Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff) return;
  throw new CarryoverError('bad-input', `the seed ${seed} is not an integer in 0 .. 4294967295`, {
    value: String(seed),
    wayOut: 'give a whole number from 0 to 4294967295',
  });
}
