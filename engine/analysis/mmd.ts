/** Maximum mean discrepancy (Gretton et al. 2012, "A Kernel Two-Sample Test"). */
import type { RandomState } from '../random/random-state.ts';

/**
 * Sums of the Gaussian kernel between units of rows, so that units can be left out or change sides
 * without computing it again. A unit is the rows of one group on one side.
 */
export interface KernelSums {
  /** units * units: sums over pairs of rows; 0 for units of one group. */
  sums: Float64Array;
  /** Rows of each unit. */
  rows: Int32Array;
  /** Group of each unit, 0 .. groups - 1. */
  groups: Int32Array;
}

/**
 * Median of the distances between all pairs of rows: the bandwidth of the median heuristic
 * (Garreau, Jitkrittum and Kanagawa, arXiv 1707.07269).
 * @param rows [row, feature], at least two rows
 */
export function medianDistance(rows: ArrayLike<number>, features: number): number {
  const count = rows.length / features;
  const squared = new Float64Array((count * (count - 1)) / 2);
  let to = 0;
  for (let i = 1; i < count; i++) {
    for (let j = 0; j < i; j++) squared[to++] = squaredDistance(rows, i, j, features);
  }
  squared.sort();
  const middle = Math.floor(squared.length / 2);
  const high = Math.sqrt(squared[middle]!);
  return squared.length % 2 === 1 ? high : (Math.sqrt(squared[middle - 1]!) + high) / 2;
}

/**
 * Sums of k(x, y) = exp(-|x - y|^2 / (2 bandwidth^2)) over pairs of rows of units of different groups.
 * @param rows [row, feature]
 * @param unitOf unit of each row, 0 .. groups.length - 1
 * @param groups group of each unit
 */
export function kernelSums(
  rows: ArrayLike<number>,
  features: number,
  bandwidth: number,
  unitOf: ArrayLike<number>,
  groups: Int32Array,
): KernelSums {
  const units = groups.length;
  const sums = new Float64Array(units * units);
  const counts = new Int32Array(units);
  const scale = -1 / (2 * bandwidth * bandwidth);
  for (let i = 0; i < unitOf.length; i++) {
    const own = unitOf[i]!;
    counts[own]! += 1;
    for (let j = 0; j < i; j++) {
      const other = unitOf[j]!;
      if (groups[own] === groups[other]) continue;
      const value = Math.exp(scale * squaredDistance(rows, i, j, features));
      sums[own * units + other]! += value;
      sums[other * units + own]! += value;
    }
  }
  return { sums, rows: counts, groups };
}

/**
 * Unbiased MMD^2 (Eq. 3 of Gretton et al.): mean of k within each sample over pairs of rows, less
 * twice its mean between them. Only pairs from different groups count, which are independent; with a
 * group for every row these are all pairs of different rows. Around 0, and below it half of the time,
 * for samples of one distribution.
 * @param side of each unit: 0, 1, or any other number to leave it out
 * @returns NaN where a side has fewer than two groups
 */
export function unbiasedMmd({ sums, rows, groups }: KernelSums, side: ArrayLike<number>): number {
  const units = groups.length;
  const isA = Float64Array.from(groups, (_, unit) => (side[unit] === 0 ? 1 : 0));
  const isB = Float64Array.from(groups, (_, unit) => (side[unit] === 1 ? 1 : 0));
  let [withinA, withinB, between] = [0, 0, 0];
  for (let i = 0; i < units; i++) {
    if (isA[i] === 0 && isB[i] === 0) continue;
    let [toA, toB] = [0, 0];
    const from = i * units;
    for (let j = 0; j < units; j++) {
      toA += sums[from + j]! * isA[j]!;
      toB += sums[from + j]! * isB[j]!;
    }
    if (isA[i] === 1) {
      withinA += toA;
      between += toB;
    } else withinB += toB;
  }
  const pairs = pairsOf(rows, groups, isA, isB);
  return withinA / pairs.a + withinB / pairs.b - (2 * between) / pairs.between;
}

/** Ordered pairs of rows of different groups. */
function pairsOf(rows: Int32Array, groups: Int32Array, isA: Float64Array, isB: Float64Array) {
  const [a, b] = [new Map<number, number>(), new Map<number, number>()];
  let [allA, allB] = [0, 0];
  for (const [unit, group] of groups.entries()) {
    const [inA, inB] = [rows[unit]! * isA[unit]!, rows[unit]! * isB[unit]!];
    a.set(group, (a.get(group) ?? 0) + inA);
    b.set(group, (b.get(group) ?? 0) + inB);
    allA += inA;
    allB += inB;
  }
  const pairs = { a: allA * allA, b: allB * allB, between: allA * allB };
  for (const [group, inA] of a) {
    const inB = b.get(group)!;
    pairs.a -= inA * inA;
    pairs.b -= inB * inB;
    pairs.between -= inA * inB;
  }
  return pairs;
}

/**
 * Values of unbiased MMD^2 after units changed sides at random: what it comes to where the sides do
 * not differ. Units of one group on both sides change places with each other, all others are dealt
 * out anew among themselves.
 * @param side of each unit, 0 or 1
 */
export function permutedMmd(
  kernel: KernelSums,
  side: ArrayLike<number>,
  permutations: number,
  random: RandomState,
): Float64Array {
  const members = new Map<number, number[]>();
  for (const [unit, group] of kernel.groups.entries()) {
    members.set(group, [...(members.get(group) ?? []), unit]);
  }
  const pairs = [...members.values()].filter((units) => units.length === 2);
  const single = [...members.values()].filter((units) => units.length === 1).flat();
  return Float64Array.from({ length: permutations }, () => {
    const dealt = Int32Array.from(side);
    for (const [one, other] of pairs as [number, number][]) {
      if (random.randomSample() < 0.5) [dealt[one], dealt[other]] = [side[other]!, side[one]!];
    }
    const order = random.permutation(single.length);
    single.forEach((unit, at) => (dealt[unit] = side[single[order[at]!]!]!));
    return unbiasedMmd(kernel, dealt);
  });
}

function squaredDistance(rows: ArrayLike<number>, i: number, j: number, features: number): number {
  let sum = 0;
  for (let k = 0; k < features; k++)
    sum += (rows[i * features + k]! - rows[j * features + k]!) ** 2;
  return sum;
}
