/** Operations on images whose channels and batch fill whole blocks, alone and as networks join them. */
import fc from 'fast-check';
import type { GraphBuilder } from '../../../engine/graph/builder.ts';
import type { Value } from '../../../engine/graph/types.ts';
import type { Case } from './cases.ts';

/** Fills blocks of 4, 8 and 16 channels. */
const BLOCK = 16;

const channels = fc.constantFrom(BLOCK, 2 * BLOCK);
const image = fc.record({
  batch: fc.constantFrom(3, BLOCK),
  channels,
  height: fc.integer({ min: 3, max: 5 }),
  width: fc.integer({ min: 3, max: 5 }),
});
const convolution = fc.record({
  filters: channels,
  side: fc.constantFrom(1, 2, 3, 5),
  stride: fc.constantFrom(1, 2),
  pad: fc.integer({ min: 0, max: 2 }),
});

type Image = typeof image extends fc.Arbitrary<infer T> ? T : never;
type Convolution = typeof convolution extends fc.Arbitrary<infer T> ? T : never;

const imageOf = (g: GraphBuilder, i: Image): Value =>
  g.parameter('x', [i.batch, i.channels, i.height, i.width]);

function convolved(g: GraphBuilder, x: Value, name: string, c: Convolution): Value {
  const side = Math.min(c.side, x.shape[2] ?? 1, x.shape[3] ?? 1);
  const pad = Math.min(c.pad, side - 1);
  const filter = g.parameter(name, [c.filters, x.shape[1] ?? 1, side, side]);
  return g.conv2d(x, filter, { stride: c.stride, pad }, g.parameter(`${name}Bias`, [c.filters]));
}

function normalised(g: GraphBuilder, x: Value, name: string): Value {
  const size = [x.shape[1] ?? 1];
  const [scale, shift] = [g.parameter(`positive${name}`, size), g.parameter(`${name}Shift`, size)];
  return g.batchNorm(x, scale, shift, 0.1).result;
}

const of = (build: (g: GraphBuilder, i: Image, c: Convolution) => Value) =>
  fc.tuple(image, convolution).map(
    ([i, c]) =>
      (g: GraphBuilder) =>
        build(g, i, c),
  );

const same = (c: Convolution, filters: number): Convolution => ({
  ...c,
  filters,
  side: 3,
  stride: 1,
  pad: 1,
});

export const BLOCKED_CASES: Case[] = [
  ['conv2d', of((g, i, c) => convolved(g, imageOf(g, i), 'filter', c))],
  [
    // The filter gradient takes the rows in strips.
    'conv2d of images of more pixels than a strip',
    fc
      .tuple(fc.constantFrom(12, 13), fc.constantFrom(1, 2), fc.constantFrom(1, 3))
      .map(([side, stride, window]) => (g: GraphBuilder) => {
        const x = g.parameter('x', [BLOCK, BLOCK, side, side]);
        const filter = g.parameter('filter', [BLOCK, BLOCK, window, window]);
        return g.conv2d(x, filter, { stride, pad: (window - 1) / 2 });
      }),
  ],
  [
    'conv2d of colours',
    of((g, i, c) => convolved(g, imageOf(g, { ...i, channels: 3 }), 'filter', c)),
  ],
  [
    'conv2d, depthwise',
    of((g, i, { stride }) => {
      const filter = g.parameter('filter', [i.channels, 1, 3, 3]);
      return g.conv2d(imageOf(g, i), filter, { stride, pad: 1, groups: i.channels });
    }),
  ],
  [
    'two conv2d and what passes them by, with a scaled filter',
    of((g, i, c) => {
      const x = imageOf(g, i);
      const first = convolved(g, x, 'first', same(c, c.filters));
      const filter = g.parameter('second', [i.channels, c.filters, 3, 3]);
      const scaled = g.mul(filter, g.parameter('positiveScale', [1]));
      const second = g.conv2d(g.add(first, g.parameter('shift', [1])), scaled, {
        stride: 1,
        pad: 1,
      });
      return g.add(second, x);
    }),
  ],
  ['batchNorm', of((g, i) => normalised(g, imageOf(g, i), 'Scale'))],
  [
    'conv2d, batchNorm and what passes them by',
    of((g, i, c) => {
      const x = imageOf(g, i);
      return g.add(normalised(g, convolved(g, x, 'filter', same(c, i.channels)), 'Scale'), x);
    }),
  ],
  [
    'normalise and what passes it by',
    of((g, i) => {
      const [x, size] = [imageOf(g, i), [i.channels]];
      const given = {
        mean: g.input('mean', size),
        variance: g.input('positiveVariance', size),
        epsilon: 0.1,
      };
      const [scale, shift] = [g.parameter('positiveScale', size), g.parameter('shift', size)];
      return g.add(g.normalise(g.sqrt(g.mul(x, x)), scale, shift, given), x);
    }),
  ],
  [
    'maxPool of a conv2d',
    of((g, i, c) => {
      const x = convolved(
        g,
        imageOf(g, { ...i, height: 7, width: 6 }),
        'filter',
        same(c, c.filters),
      );
      return g.maxPool(x, { size: 3, stride: 2, pad: 1 });
    }),
  ],
  [
    'maxPool of a relu',
    of((g, i, c) => {
      const [height, width] = [2 * i.height, 2 * i.width];
      const x = convolved(g, imageOf(g, { ...i, height, width }), 'filter', same(c, c.filters));
      // No window of zeros only: its first maximum could be anywhere.
      const mostlyPositive = g.relu(g.add(x, g.constant(6)));
      return g.maxPool(mostlyPositive, { size: 3, stride: 2, pad: 1 });
    }),
  ],
  [
    'averagePool of a conv2d',
    of((g, i, c) => g.averagePool(convolved(g, imageOf(g, i), 'filter', same(c, c.filters)), 2)),
  ],
  [
    'concat of conv2d',
    of((g, i, c) => {
      const x = imageOf(g, i);
      const grown = g.concat([x, convolved(g, x, 'first', same(c, c.filters))], 1);
      return convolved(g, grown, 'second', same(c, BLOCK));
    }),
  ],
  [
    'mean over pixels of a conv2d, spread again',
    of((g, i, c) => {
      const x = convolved(g, imageOf(g, i), 'filter', same(c, i.channels));
      const mean = g.reduceMean(x, [2, 3], true);
      return g.mul(g.broadcast(mean, x.shape), x);
    }),
  ],
];
