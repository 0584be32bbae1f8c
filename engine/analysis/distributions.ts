/** Distribution functions that intervals and tests need. */

/**
 * ln Gamma(x) for x > 0: Stirling's series (Abramowitz and Stegun 6.1.41) after moving x above 10 by
 * Gamma(x + 1) = x Gamma(x).
 */
function logGamma(x: number): number {
  let [moved, product] = [x, 1];
  for (; moved < 10; moved += 1) product *= moved;
  const square = moved * moved;
  let series = 0;
  for (const term of [1 / 156, -691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12]) {
    series = series / square + term;
  }
  const stirling = (moved - 0.5) * Math.log(moved) - moved + 0.5 * Math.log(2 * Math.PI);
  return stirling + series / moved - Math.log(product);
}

/**
 * The regularised incomplete beta function I_x(a, b), by its continued fraction (modified Lentz;
 * Numerical Recipes, section 6.4).
 * @param x in [0, 1]
 */
export function incompleteBeta(a: number, b: number, x: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(b, a, 1 - x);
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x),
  );
  return (front * betaFraction(a, b, x)) / a;
}

function betaFraction(a: number, b: number, x: number): number {
  const tiny = 1e-300;
  const away = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let product = d;
  for (let m = 1; m <= 1000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    product *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    product *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return product;
}

/** P(|T| > t) of Student's t with `freedom` degrees of freedom. */
export function studentTwoSided(t: number, freedom: number): number {
  return incompleteBeta(freedom / 2, 0.5, freedom / (freedom + t * t));
}

/** The t for which P(|T| > t) is `outside`, by bisection. @param outside in (0, 1) */
export function studentCritical(outside: number, freedom: number): number {
  return bisect((t) => studentTwoSided(t, freedom) > outside);
}

/**
 * P(Z <= z) of the standard normal: |z| below 4 by its power series, else by the continued fraction
 * of Mills' ratio (Abramowitz and Stegun 26.2.10 and 26.2.14).
 */
export function normalCdf(z: number): number {
  if (z < 0) return z > -4 ? 1 - normalCdf(-z) : upperTail(-z);
  if (z >= 4) return 1 - upperTail(z);
  let term = z;
  let sum = z;
  for (let k = 1; Math.abs(term) > 1e-17 * sum; k++) {
    term *= (z * z) / (2 * k + 1);
    sum += term;
  }
  return 0.5 + normalDensity(z) * sum;
}

function upperTail(z: number): number {
  let ratio = z;
  for (let k = 200; k >= 1; k--) ratio = z + k / ratio;
  return normalDensity(z) / ratio;
}

export function normalDensity(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}

/** The z below which a standard normal is with probability 0.975: half a 95 % interval. */
export const NORMAL_95 = 1.959963984540054;

/** The positive number at which a falling condition ends. */
function bisect(holds: (t: number) => boolean): number {
  let [low, high] = [0, 1];
  while (holds(high)) high *= 2;
  while (high - low > 1e-15 * high) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
