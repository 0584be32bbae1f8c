import { describe, expect, it } from 'vitest';
import type { Raster } from '../../../host/samples/picture.ts';
import { encodePng, iconSvg, rasterise } from '../../../host/samples/picture.ts';
import { dropNearDoubles, measure, signature, styleOf } from '../../../host/samples/style.ts';

const box = { left: 0, top: 0, width: 24, height: 24 };

function draw(body: string, size = 96): Promise<Raster> {
  return rasterise(iconSvg({ body, ...box }, size), size);
}

async function styleOfBody(body: string): Promise<string | null> {
  return styleOf(measure(await draw(body)));
}

const ring = '<circle cx="12" cy="12" r="9" fill="none" stroke="currentColor" stroke-width="1.5"/>';
const disc = (fill: string) => `<circle cx="12" cy="12" r="9" fill="${fill}"/>`;

describe('the drawing style', () => {
  it.each([
    ['strokes', 'line', ring],
    ['thick strokes', 'line', ring.replace('1.5', '2.4')],
    ['a filled shape', 'solid', disc('currentColor')],
    [
      'a filled shape with a hole',
      'solid',
      `${disc('currentColor')}<rect x="10" y="6" width="4" height="8" fill="#fff"/>`,
    ],
    [
      'strokes around a faint fill',
      'duotone',
      `<g opacity=".2">${disc('currentColor')}</g>${ring}`,
    ],
    [
      'a dark and a grey area',
      'duotone',
      '<path d="M2 2h10v20H2z"/><path d="M12 2h10v20H12z" fill="#888"/>',
    ],
    ['a red area', 'color', disc('#e03030')],
    [
      'black strokes and some blue',
      'color',
      `${ring}<rect x="8" y="8" width="8" height="8" fill="#2f88ff"/>`,
    ],
  ])('of %s is %s', async (_what, style, body) => {
    expect(await styleOfBody(body)).toBe(style);
  });

  it.each([
    ['a blank picture', ''],
    ['white on white', disc('#fff')],
    ['grey alone', disc('#aaa')],
    ['black and grey strokes', `${ring}<path d="M7 12h10" stroke="#999" stroke-width="1.5"/>`],
  ])('of %s is none', async (_what, body) => {
    expect(await styleOfBody(body)).toBeNull();
  });

  it('does not depend on the size of the picture', async () => {
    for (const size of [64, 96, 160]) {
      expect(styleOf(measure(await draw(ring, size)))).toBe('line');
      expect(styleOf(measure(await draw(disc('#000'), size)))).toBe('solid');
    }
  });

  it('is measured in shares', async () => {
    const half = measure(
      await draw('<path d="M0 0h24v12H0z"/><path d="M0 0h12v12H0z" fill="red"/>'),
    );
    expect(half.ink).toBeCloseTo(0.5, 2);
    expect(half.colour).toBeCloseTo(0.5, 2);
    expect(half.dark).toBeCloseTo(1, 2);
  });
});

describe('near doubles', () => {
  const named = async (name: string, body: string) => ({
    name,
    signature: signature(await draw(body)),
  });

  it('are dropped after the first, others are kept in order', async () => {
    const items = await Promise.all([
      named('ring', ring),
      named('square', '<path d="M4 4h16v16H4z"/>'),
      named('ring, a little thicker', ring.replace('1.5', '1.6')),
      named('square, shifted a little', '<path d="M4.1 4h16v16h-16z"/>'),
      named('disc', disc('#000')),
      named('red disc', disc('#d00')),
    ]);
    expect(dropNearDoubles(items).map(({ name }) => name)).toEqual([
      'ring',
      'square',
      'disc',
      'red disc',
    ]);
  });

  it('differ by less than 14 of 255 on the mean', () => {
    const flat = (value: number) => ({ signature: new Float32Array(768).fill(value) });
    expect(dropNearDoubles([flat(100), flat(113.9)])).toHaveLength(1);
    expect(dropNearDoubles([flat(100), flat(114.1)])).toHaveLength(2);
  });

  it('are compared by cell means', async () => {
    const half = signature(await draw('<path d="M0 0h12v24H0z"/>'));
    expect(half).toHaveLength(768);
    expect(half[0]).toBe(0);
    expect(half[3 * 15]).toBe(255);
  });
});

describe('a picture', () => {
  it('lies on white, black where the icon says currentColor, fitted into the square', async () => {
    const wide = {
      body: '<path fill="currentColor" d="M0 0h20v10H0z"/>',
      ...box,
      width: 20,
      height: 10,
    };
    const { rgb } = await rasterise(iconSvg(wide, 40), 40);
    const at = (x: number, y: number) => [...rgb.subarray(3 * (40 * y + x), 3 * (40 * y + x) + 3)];
    expect(at(20, 2)).toEqual([255, 255, 255]);
    expect(at(20, 20)).toEqual([0, 0, 0]);
    expect(at(1, 12)).toEqual([0, 0, 0]);
  });

  it('survives its PNG unchanged', async () => {
    const raster = await draw(`${disc('#3a7')}${ring}`);
    const again = await rasterise(await encodePng(raster), raster.size);
    expect(Buffer.from(again.rgb).equals(Buffer.from(raster.rgb))).toBe(true);
  });

  it('is RGB when its file is grey', async () => {
    const raster = await draw(disc('#777'));
    expect(raster.rgb).toHaveLength(96 * 96 * 3);
  });
});
