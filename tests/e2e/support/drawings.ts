import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

const SIDE = 40;
const PER_CLASS = 30;

/** SVG shapes with their centre at (x, y) and about r pixels of reach. */
const SHAPES: Record<string, (x: number, y: number, r: number) => string> = {
  circle: (x, y, r) => `<circle cx="${x}" cy="${y}" r="${r}"/>`,
  square: (x, y, r) => `<rect x="${x - r}" y="${y - r}" width="${2 * r}" height="${2 * r}"/>`,
  triangle: (x, y, r) => `<path d="M${x} ${y - r}L${x + r} ${y + r}H${x - r}z"/>`,
};

const STYLES: Record<string, (grey: number) => string> = {
  filled: (grey) => `fill="rgb(${grey},${grey},${grey})"`,
  outlined: (grey) => `fill="none" stroke="rgb(${grey},${grey},${grey})" stroke-width="3"`,
};

/**
 * Draws a small set: two domains, three classes, thirty images each, all different, in
 * `domain/class/image`. Returns how many.
 */
export async function drawImages(folder: string): Promise<number> {
  let drawn = 0;
  for (const [domain, style] of Object.entries(STYLES)) {
    for (const [label, shape] of Object.entries(SHAPES)) {
      const home = join(folder, domain, label);
      mkdirSync(home, { recursive: true });
      for (let n = 0; n < PER_CLASS; n += 1) {
        const body = shape(14 + (n % 5) * 3, 14 + (Math.floor(n / 5) % 6) * 2, 8 + (n % 3));
        const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE}" height="${SIDE}"><rect width="100%" height="100%" fill="#fff"/><g ${style(n * 4)}>${body}</g></svg>`;
        await sharp(Buffer.from(svg))
          .png()
          .toFile(join(home, `${label} ${n}.png`));
        drawn += 1;
      }
    }
  }
  return drawn;
}
