/** All eigenvalues of a symmetric matrix by way of a tridiagonal one, in double precision. */

const MOST_TURNS = 60;

/** Eigenvalues in no order. */
export interface SymmetricEigen {
  values: Float64Array;
  /** [vector, element], unit length; empty where none were asked for. */
  vectors: Float64Array;
}

/**
 * All eigenvalues of a symmetric matrix: Householder's reduction to tridiagonal form, then implicit
 * QL (Golub and Van Loan, "Matrix Computations", 8.3). Errors are of the order of the machine's
 * precision times the largest eigenvalue.
 * @param matrix side * side, symmetric
 * @param wanted whether eigenvectors are computed too
 */
export function symmetricEigen(matrix: Float64Array, side: number, wanted = true): SymmetricEigen {
  const { diagonal, beside, rows } = reduced(matrix, side, wanted);
  diagonalise(diagonal, beside, rows);
  return { values: diagonal, vectors: rows };
}

interface Tridiagonal {
  diagonal: Float64Array;
  /** [i]: between i and i + 1; the last is 0. */
  beside: Float64Array;
  /** [column of Q, element], where Q^T A Q is tridiagonal; empty where no vectors are wanted. */
  rows: Float64Array;
}

/** Each row's reflection I - v v^T / h takes it to its last element; v is kept in the row. */
function reduced(matrix: Float64Array, side: number, wanted: boolean): Tridiagonal {
  const a = matrix.slice();
  const beside = new Float64Array(side);
  const h = new Float64Array(side);
  for (let i = side - 1; i > 0; i--) {
    const v = a.subarray(i * side, i * side + i);
    const last = v[i - 1]!;
    const length = norm(v);
    if (length === Math.abs(last)) {
      beside[i - 1] = last;
      continue;
    }
    beside[i - 1] = last > 0 ? -length : length;
    h[i] = length * (length + Math.abs(last));
    v[i - 1] = last - beside[i - 1]!;
    reflect(a, side, v, h[i]!);
  }
  const diagonal = Float64Array.from({ length: side }, (_, i) => a[i * side + i]!);
  return { diagonal, beside, rows: wanted ? accumulated(a, side, h) : new Float64Array(0) };
}

/** The leading block A of v's side becomes H A H: A - v q^T - q v^T. */
function reflect(a: Float64Array, side: number, v: Float64Array, h: number): void {
  const q = new Float64Array(v.length);
  for (let row = 0; row < v.length; row++) {
    q[row] = dot(a.subarray(row * side, row * side + v.length), v) / h;
  }
  const half = dot(v, q) / (2 * h);
  for (let i = 0; i < q.length; i++) q[i]! -= half * v[i]!;
  for (let row = 0; row < v.length; row++) {
    const own = a.subarray(row * side, row * side + v.length);
    addScaled(own, q, -v[row]!);
    addScaled(own, v, -q[row]!);
  }
}

/** The product of all reflections, transposed. */
function accumulated(a: Float64Array, side: number, h: Float64Array): Float64Array {
  const rows = new Float64Array(side * side);
  for (let i = 0; i < side; i++) rows[i * side + i] = 1;
  for (let i = 1; i < side; i++) {
    if (h[i] === 0) continue;
    const v = a.subarray(i * side, i * side + i);
    for (let row = 0; row < i; row++) {
      const own = rows.subarray(row * side, row * side + i);
      addScaled(own, v, -dot(own, v) / h[i]!);
    }
  }
  return rows;
}

/** Implicit QL: the diagonal becomes the eigenvalues, the rows the eigenvectors. */
function diagonalise(d: Float64Array, e: Float64Array, rows: Float64Array): void {
  let scale = 0;
  for (let from = 0; from < d.length; from++) {
    scale = Math.max(scale, Math.abs(d[from]!) + Math.abs(e[from]!));
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      let to = from;
      while (to < d.length - 1 && Math.abs(e[to]!) > Number.EPSILON * scale) to++;
      if (to === from) break;
      chase(d, e, rows, from, to);
    }
  }
}

/** One implicit QL step with Wilkinson's shift on the block from..to. */
function chase(
  d: Float64Array,
  e: Float64Array,
  rows: Float64Array,
  from: number,
  to: number,
): void {
  const half = (d[from + 1]! - d[from]!) / (2 * e[from]!);
  const root = Math.hypot(half, 1);
  let g = d[to]! - d[from]! + e[from]! / (half + (half < 0 ? -root : root));
  let [sin, cos, p] = [1, 1, 0];
  for (let i = to - 1; i >= from; i--) {
    const f = sin * e[i]!;
    const b = cos * e[i]!;
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1]! -= p;
      e[to] = 0;
      return;
    }
    sin = f / r;
    cos = g / r;
    g = d[i + 1]! - p;
    const turned = (d[i]! - g) * sin + 2 * cos * b;
    p = sin * turned;
    d[i + 1] = g + p;
    g = cos * turned - b;
    if (rows.length > 0) rotate(rows, d.length, i, sin, cos);
  }
  d[from]! -= p;
  e[from] = g;
  e[to] = 0;
}

function rotate(rows: Float64Array, side: number, i: number, sin: number, cos: number): void {
  const low = rows.subarray(i * side, (i + 1) * side);
  const high = rows.subarray((i + 1) * side, (i + 2) * side);
  for (let k = 0; k < side; k++) {
    const kept = high[k]!;
    high[k] = sin * low[k]! + cos * kept;
    low[k] = cos * low[k]! - sin * kept;
  }
}

function norm(values: Float64Array): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return 0;
  let sum = 0;
  for (const value of values) sum += (value / largest) ** 2;
  return largest * Math.sqrt(sum);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(target: Float64Array, source: Float64Array, scale: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += scale * source[i]!;
}
