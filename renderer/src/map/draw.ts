import type { MapPoints } from '../../../contract/analyses.ts';
import { toScreen, type Point, type View } from './scatter.ts';

/** What of a map is drawn, and how. */
export interface Drawing {
  points: Pick<MapPoints, 'x' | 'y'>;
  /** Index into `colours`, per point. */
  group: readonly number[];
  colours: readonly string[];
  hidden: ReadonlySet<number>;
  /** Group that stands out, -1 for none. */
  lit: number;
  /** Positions of points; empty: none. */
  selected: ReadonlySet<number>;
  radius: number;
}

/** Points grow a little when the map is enlarged. */
export function radiusFor(points: number, zoom: number): number {
  const base = points > 10_000 ? 1.9 : points > 2_000 ? 2.5 : 3.5;
  return Math.min(9, base * Math.max(1, Math.sqrt(zoom) * 0.9));
}

/** How strongly a point is drawn: what is selected or lit stands out from the rest. */
export function strength({ selected, lit, group }: Drawing, point: number): number {
  if (lit >= 0 && group[point] !== lit) return 0.12;
  return selected.size === 0 || selected.has(point) ? 0.85 : 0.15;
}

/** Draws all points that are in view; `ratio`: device pixels per CSS pixel. */
export function drawPoints(
  context: CanvasRenderingContext2D,
  drawing: Drawing,
  view: View,
  ratio: number,
): void {
  const { width, height } = context.canvas;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  const { points, group, colours, hidden } = drawing;
  const radius = Math.max(1, Math.round(drawing.radius * ratio));
  const sprites = colours.map((colour) => spriteOf(colour, radius));
  const { scale, left, top } = view;
  for (const strong of [false, true]) {
    for (let point = 0; point < points.x.length; point++) {
      const own = group[point]!;
      if (hidden.has(own)) continue;
      const alpha = strength(drawing, point);
      if (alpha > 0.5 !== strong) continue;
      const x = (points.x[point]! * scale + left) * ratio;
      const y = (points.y[point]! * scale + top) * ratio;
      if (x < -radius || y < -radius || x > width + radius || y > height + radius) continue;
      context.globalAlpha = alpha;
      context.drawImage(sprites[own]!, Math.round(x) - radius - 1, Math.round(y) - radius - 1);
    }
  }
  context.globalAlpha = 1;
}

function spriteOf(colour: string, radius: number): HTMLCanvasElement {
  const sprite = document.createElement('canvas');
  sprite.width = sprite.height = 2 * radius + 2;
  const context = sprite.getContext('2d')!;
  context.fillStyle = colour;
  context.beginPath();
  context.arc(radius + 1, radius + 1, radius, 0, 2 * Math.PI);
  context.fill();
  return sprite;
}

/** Draws the line of a lasso, in CSS pixels. */
export function drawLasso(
  context: CanvasRenderingContext2D,
  line: readonly Point[],
  colour: string,
  ratio: number,
): void {
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.beginPath();
  for (const { x, y } of line) context.lineTo(x, y);
  context.closePath();
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.stroke();
  context.globalAlpha = 0.1;
  context.fillStyle = colour;
  context.fill();
  context.globalAlpha = 1;
}

/** The drawing as an SVG file, as it is in view. */
export function asSvg(
  drawing: Drawing,
  view: View,
  { width, height, title }: { width: number; height: number; title: string },
): string {
  const { points, group, colours, hidden, radius } = drawing;
  const circles: string[] = [];
  for (let point = 0; point < points.x.length; point++) {
    const own = group[point]!;
    const { x, y } = toScreen(view, points.x[point]!, points.y[point]!);
    if (hidden.has(own) || x < 0 || y < 0 || x > width || y > height) continue;
    circles.push(
      `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius.toFixed(1)}" ` +
        `fill="${colours[own]}" fill-opacity="${strength(drawing, point)}"/>`,
    );
  }
  const name = title.replace(/[<>&]/g, (found) => `&#${found.charCodeAt(0)};`);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    `<title>${name}</title>${circles.join('')}</svg>\n`
  );
}
