import { describe, expect, it } from 'vitest';
import type { Figure } from '../../contract/figures.ts';
import { drawFigure, withoutLinks } from '../../host/studies/figures/draw.ts';
import { scaleOf, tickText, valueText } from '../../host/studies/figures/scale.ts';

const base = { id: 'f', title: 'A & B', caption: 'c' };
const axis = { title: 'x' };
const draw = (figure: Figure) => drawFigure(figure, ({ file }) => file ?? null).text;

describe('scales', () => {
  it('start and end at round numbers around the values', () => {
    const { at, ticks, domain } = scaleOf(axis, [0.03, 0.97], 0, 100);
    expect(ticks).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect([at(0), at(0.5), at(1)]).toEqual([0, 50, 100]);
    expect(domain).toEqual([0, 1]);
  });

  it('hold one value, none, and powers of ten', () => {
    expect(scaleOf(axis, [5, 5], 0, 1).ticks.length).toBeGreaterThan(2);
    expect(scaleOf(axis, [], 0, 1).domain).toEqual([0, 1]);
    const log = scaleOf({ ...axis, scale: 'log' }, [1, 1000], 0, 3);
    expect(log.ticks).toEqual([1, 10, 100, 1000]);
    expect(log.at(100)).toBeCloseTo(2, 12);
    expect(scaleOf({ ...axis, categories: ['a', 'b'] }, [], 0, 4).at(1)).toBe(3);
  });

  it('write numbers as people read them', () => {
    expect(tickText(0.25, { title: '', unit: '%' })).toBe('25 %');
    expect(valueText(-0.1234, '1', 2)).toBe('−0.12');
    expect(valueText(0.00001)).toBe('1.00e−5');
    expect(valueText(null)).toBe('–');
  });
});

describe('figures', () => {
  it('draw bars where their values are', () => {
    const bar = { name: 'P-T', colour: 0, value: 0.5, values: [0.4, 0.6], link: '#/x' };
    const y = { title: 'y', unit: '%' as const, include: [1] };
    const svg = draw({ ...base, kind: 'bars', x: axis, y, groups: [{ label: 'g', bars: [bar] }] });
    expect(svg).toContain('aria-label="A &#38; B"');
    expect(svg).toContain('<a href="#/x" aria-label="P-T: 50.0 %">');
    expect(svg).toContain('role="group"');
    // from 26 (1) to 260 (0): a half is at 143, and 117 high
    expect(svg).toMatch(/y="143"[^>]*height="117"/);
    expect(svg.match(/class="dot k0"/g)).toHaveLength(2);
  });

  it('leave out what is not a number', () => {
    const points = [
      { x: 0, y: 1, interval: [0, 2] as [number, number] },
      { x: 1, y: NaN },
      { x: 2, y: 3 },
    ];
    const series = [{ name: 's', colour: 9, points }];
    const svg = draw({
      ...base,
      kind: 'lines',
      x: axis,
      y: axis,
      series,
      marks: [{ x: 1, label: 'm' }],
    });
    expect(svg).not.toContain('NaN');
    expect(svg.match(/class="point k1"/g)).toHaveLength(2);
  });

  it('colour a matrix from end to end, and gaps not at all', () => {
    const rest = { rows: ['a', 'b'], columns: ['c', 'd'], range: [0, 1] as [number, number] };
    const values = [
      [0, 1],
      [null, 0.5],
    ];
    const svg = draw({
      ...base,
      ...rest,
      kind: 'heatmap',
      x: axis,
      y: axis,
      scale: 'sequential',
      values,
    });
    expect(svg).toContain('fill="#440154"');
    expect(svg).toContain('fill="#fde725"');
    expect(svg).toContain('fill="none"');
  });

  it('show pictures by their source, or that they are gone', () => {
    const pictures = [
      { file: 'p.png', lines: ['a <b>'] },
      { imageId: 3, lines: [] },
    ];
    const markup = draw({ ...base, kind: 'pictures', groups: [{ title: 't', pictures }] });
    expect(markup).toContain('src="p.png"');
    expect(markup).toContain('a &#60;b&#62;');
    expect(markup).toContain('not there any more');
  });

  it('lead nowhere outside the window', () => {
    const row = { label: 'r', value: 1, interval: null, colour: 0, link: '#/x' };
    const figure: Figure = { ...base, kind: 'intervals', x: axis, rows: [row] };
    expect(draw(figure)).toContain('href');
    expect(draw(withoutLinks(figure))).not.toContain('href');
  });

  it('are a picture only where nothing in them leads anywhere', () => {
    const row = { label: 'r', value: 1, interval: null, colour: 0, link: '#/x' };
    const figure: Figure = { ...base, kind: 'intervals', x: axis, rows: [row] };
    expect(draw(figure)).toContain('role="group"');
    expect(draw(withoutLinks(figure))).toContain('role="img"');
  });
});

describe('intervals of few repetitions', () => {
  it('do not press the estimates together', () => {
    const points = [0.2, 0.4].map((y, x) => ({ x, y, interval: [-9, 9] as [number, number] }));
    const series = [{ name: 's', colour: 0, points }];
    const y = { title: 'y', unit: '1' as const };
    const svg = draw({ ...base, kind: 'lines', x: axis, y, series });
    const heights = [...svg.matchAll(/cy="([\d.]+)"/g)].map(([, text]) => Number(text));
    expect(heights[0]! - heights[1]!).toBeGreaterThan(80);
    const band = /class="band k0" d="M([^"]+)Z"/.exec(svg.replace(/\s+/g, ' '))![1]!;
    const ends = band.split('L').map((place) => Number(place.split(' ')[1]));
    expect(Math.min(...ends)).toBe(16);
    expect(Math.max(...ends)).toBe(260);
  });
});
