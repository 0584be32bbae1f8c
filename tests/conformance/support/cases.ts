/** Every differentiable operation over its whole range of shapes, as fast-check draws them. */
import fc from 'fast-check';
import type { GraphBuilder } from '../../../engine/graph/builder.ts';
import type { OperationKind, Shape, Value } from '../../../engine/graph/types.ts';

export type Build = (g: GraphBuilder) => Value;
/** Where each kind of operation is compared: in a case's forward or backward graph, or elsewhere. */
export const COMPARED: Record<OperationKind, 'forward' | 'backward' | 'update'> = {
  input: 'forward',
  parameter: 'forward',
  constant: 'forward',
  add: 'forward',
  sub: 'forward',
  mul: 'forward',
  div: 'forward',
  min: 'update', // it clips gradients and has none of its own
  relu: 'forward',
  relu6: 'forward',
  exp: 'forward',
  sqrt: 'forward',
  logSoftmax: 'forward',
  sigmoid: 'forward',
  logSigmoid: 'forward',
  matMul: 'forward',
  reduceSum: 'forward',
  reshape: 'forward',
  broadcast: 'forward',
  conv2d: 'forward',
  maxPool: 'forward',
  averagePool: 'forward',
  concat: 'forward',
  slice: 'forward',
  pad: 'forward',
  batchNorm: 'forward',
  normalise: 'forward',
  channelMean: 'forward',
  channelVariance: 'forward',
  normaliseScaleGradient: 'backward',
  batchNormInputGradient: 'backward',
  reluGradient: 'backward',
  relu6Gradient: 'backward',
  conv2dInputGradient: 'backward',
  conv2dFilterGradient: 'backward',
  maxPoolGradient: 'backward',
};

export type Case = [name: string, draws: fc.Arbitrary<Build>];

const side = fc.integer({ min: 1, max: 4 });
const shape = (min: number, max: number): fc.Arbitrary<number[]> =>
  fc.array(side, { minLength: min, maxLength: max });

/** Two shapes that NumPy's rule joins: some sides 1, some leading ones left out. */
const pairOfShapes = fc
  .tuple(shape(0, 4), fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 4, maxLength: 4 }))
  .chain(([full, holes]) => {
    const punched = (which: number): number[] =>
      full.map((s, axis) => (holes[axis] === which ? 1 : s));
    return fc
      .tuple(fc.nat(full.length), fc.boolean())
      .map(([cut, swap]): [Shape, Shape] =>
        swap ? [punched(1).slice(cut), punched(2)] : [punched(1), punched(2).slice(cut)],
      );
  });

const elementwise = (kind: 'add' | 'sub' | 'mul' | 'div' | 'min'): Case => [
  kind,
  pairOfShapes.map(
    ([a, b]) =>
      (g) =>
        g[kind](g.parameter('x', a), g.parameter('positiveY', b)),
  ),
];

const conv2d = (['none', 'one', 'each'] as const).map((bias): Case => [
  `conv2d, bias ${bias}`,
  fc
    .record({
      batch: fc.integer({ min: 1, max: 2 }),
      channels: fc.integer({ min: 1, max: 3 }),
      filters: fc.integer({ min: 1, max: 3 }),
      rows: fc.constantFrom(1, 3, 5, 7),
      columns: fc.constantFrom(1, 3, 5, 7),
      stride: fc.constantFrom(1, 2),
      pad: fc.integer({ min: 0, max: 3 }),
      height: fc.integer({ min: 7, max: 9 }),
      width: fc.integer({ min: 7, max: 9 }),
    })
    .map((c) => (g) => {
      const x = g.parameter('x', [c.batch, c.channels, c.height, c.width]);
      const filter = g.parameter('filter', [c.filters, c.channels, c.rows, c.columns]);
      const biasOf = { none: [], one: [[1]], each: [[c.filters]] }[bias];
      return g.conv2d(x, filter, c, ...biasOf.map((s) => g.parameter('bias', s)));
    }),
]);

/** Depthwise, or padded differently on the far sides: gradients of their own (Keras' geometry). */
const uncommonConv2d: Case[] = (['depthwise', 'far sides'] as const).map((which) => [
  `conv2d, ${which}`,
  fc
    .record({
      batch: fc.integer({ min: 1, max: 3 }),
      channels: fc.integer({ min: 2, max: 4 }),
      rows: fc.constantFrom(1, 3, 5),
      columns: fc.constantFrom(1, 3),
      stride: fc.constantFrom(1, 2, 3),
      pad: fc.integer({ min: 0, max: 2 }),
      padEnd: fc.integer({ min: 0, max: 2 }),
      height: fc.integer({ min: 5, max: 9 }),
      width: fc.integer({ min: 5, max: 9 }),
    })
    .map((c) => (g) => {
      const depthwise = which === 'depthwise';
      const x = g.parameter('x', [c.batch, c.channels, c.height, c.width]);
      const shape = depthwise
        ? [c.channels, 1, c.rows, c.columns]
        : [3, c.channels, c.rows, c.columns];
      const geometry = { ...c, groups: depthwise ? c.channels : 1 };
      return g.conv2d(x, g.parameter('filter', shape), geometry);
    }),
]);

const images = fc.tuple(
  fc.integer({ min: 2, max: 3 }),
  fc.integer({ min: 1, max: 3 }),
  fc.integer({ min: 2, max: 5 }),
  fc.integer({ min: 2, max: 5 }),
);

/** Wide images too: the gradient of the scale is computed differently there. */
const imagesToNormalise = fc.oneof(images, fc.constant([1, 1, 23, 23]));

const perChannel = (g: GraphBuilder, name: string, [, channels = 0]: Shape): Value =>
  g.parameter(name, [channels]);

const normalisation: Case[] = [
  [
    'batchNorm',
    imagesToNormalise.map((s) => (g) => {
      const [scale, shift] = [perChannel(g, 'positiveScale', s), perChannel(g, 'shift', s)];
      const y = g.batchNorm(g.parameter('x', s), scale, shift, 1e-3).result;
      // of the sum of y or of its squares, x has no gradient but rounding
      return g.mul(y, g.parameter('other', s));
    }),
  ],
  [
    'normalise',
    imagesToNormalise.map((s) => (g) => {
      const [scale, shift] = [perChannel(g, 'positiveScale', s), perChannel(g, 'shift', s)];
      const mean = g.constant(new Float32Array(s[1] ?? 0).fill(0.3), [s[1] ?? 0]);
      const variance = g.constant(new Float32Array(s[1] ?? 0).fill(0.7), [s[1] ?? 0]);
      const moments = { mean, variance, epsilon: 1e-5 };
      return g.normalise(g.parameter('positiveX', s), scale, shift, moments);
    }),
  ],
  ['channelMean', images.map((s) => (g) => g.channelMean(g.parameter('positiveX', s)))],
  [
    'channelVariance',
    images.map((s) => (g) => g.channelVariance(g.parameter('x', s), perChannel(g, 'mean', s))),
  ],
];

const averagePool: Case = [
  'averagePool',
  fc.tuple(images, fc.integer({ min: 1, max: 2 })).map(
    ([s, size]) =>
      (g) =>
        g.averagePool(g.parameter('x', s), size),
  ),
];

const concat: Case = [
  'concat',
  fc.tuple(images, fc.nat(3), side).map(([s, axis, other]) => (g) => {
    const [a, b] = [g.parameter('positiveA', s), g.parameter('b', s.with(axis, other))];
    return g.concat([a, b, a], axis);
  }),
];

/** A window in a whole, and where it starts. */
const windows = images.chain((whole) =>
  fc
    .tuple(...whole.map((length) => fc.integer({ min: 1, max: length })))
    .chain((window) =>
      fc
        .tuple(...whole.map((length, axis) => fc.nat(length - (window[axis] ?? 0))))
        .map((starts) => ({ whole, window, starts })),
    ),
);

const slice: Case = [
  'slice',
  windows.map(
    ({ whole, window, starts }) =>
      (g) =>
        g.slice(g.parameter('x', whole), starts, window),
  ),
];

const pad: Case = [
  'pad',
  windows.map(
    ({ whole, window, starts }) =>
      (g) =>
        g.pad(g.parameter('x', window), starts, whole),
  ),
];

const relu6OfSigned: Case = [
  'relu6 between and beyond its bounds',
  shape(1, 3).map((given) => (g) => {
    const x = g.parameter('x', [...given, 2]);
    return g.relu6(g.mul(x, g.constant(11)));
  }),
];

const maxPool: Case = [
  'maxPool',
  fc
    .record({
      size: fc.constantFrom(2, 3),
      stride: fc.constantFrom(1, 2, 3),
      pad: fc.constantFrom(0, 1),
      height: fc.integer({ min: 3, max: 8 }),
      width: fc.integer({ min: 3, max: 8 }),
    })
    .map((c) => (g) => g.maxPool(g.parameter('x', [2, 2, c.height, c.width]), c)),
];

const matMul: Case = [
  'matMul',
  fc
    .record({ n: side, m: side, k: side, transposeA: fc.boolean(), transposeB: fc.boolean() })
    .map(({ n, m, k, ...transposes }) => (g) => {
      const a = g.parameter('a', transposes.transposeA ? [k, n] : [n, k]);
      const b = g.parameter('b', transposes.transposeB ? [m, k] : [k, m]);
      return g.matMul(a, b, transposes);
    }),
];

const reductions: Case[] = (['reduceSum', 'reduceMean'] as const).map((kind) => [
  kind,
  shape(1, 4).chain((full) =>
    fc.tuple(fc.subarray([...full.keys()], { minLength: 1 }), fc.boolean()).map(
      ([axes, keepDims]) =>
        (g) =>
          g[kind](g.parameter('positiveX', full), axes, keepDims),
    ),
  ),
]);

/** After a convolution TensorFlow.js holds the tensor channels-last; the axes must not show it. */
const afterConv2d: Case = [
  'operations on a convolution',
  fc
    .tuple(fc.subarray([0, 1, 2, 3], { minLength: 1 }), fc.boolean(), fc.constantFrom(0, 1, 3))
    .map(([axes, keepDims, rank]) => (g) => {
      const filter = g.parameter('positiveFilter', [3, 2, 3, 3]);
      const y = g.conv2d(g.parameter('positiveX', [2, 2, 5, 6]), filter, { stride: 1, pad: 1 });
      const other = [2, 3, 5, 6].slice(4 - rank);
      const z = g.mul(g.add(y, g.parameter('positiveOther', other)), y);
      return g.mul(g.reduceSum(z, axes, keepDims), g.reduceSum(g.reshape(y, [6, 30])));
    }),
];

/** Inputs of an even number of elements: see `spread`. */
const unary = (
  kind: 'relu' | 'relu6' | 'exp' | 'sqrt' | 'logSoftmax' | 'sigmoid' | 'logSigmoid',
): Case => [
  kind,
  shape(1, 3).map((given) => (g) => g[kind](g.parameter('positiveX', [...given, 2]))),
];

const reluOfSigned: Case = [
  'relu of both signs',
  shape(1, 3).map((given) => (g) => g.relu(g.parameter('x', [...given, 2]))),
];

/** Operations of updates, which have no gradient. */
export const UPDATE_CASES: readonly Case[] = [elementwise('min')];

export const CASES: readonly Case[] = [
  ...(['add', 'sub', 'mul', 'div'] as const).map(elementwise),
  ...(['relu', 'relu6', 'exp', 'sqrt', 'logSoftmax', 'sigmoid', 'logSigmoid'] as const).map(unary),
  reluOfSigned,
  matMul,
  ...reductions,
  ['reshape', shape(1, 4).map((s) => (g) => g.reshape(g.parameter('x', s), [...s].reverse()))],
  [
    'broadcast',
    pairOfShapes.map(([a, b]) => (g) => {
      const { shape: joint } = g.add(g.constant(new Float32Array(size(a)), a), zeros(g, b));
      return g.broadcast(g.parameter('x', a), joint);
    }),
  ],
  ...conv2d,
  ...uncommonConv2d,
  maxPool,
  averagePool,
  concat,
  slice,
  pad,
  relu6OfSigned,
  ...normalisation,
  afterConv2d,
];

const size = (s: Shape): number => s.reduce((product, n) => product * n, 1);
const zeros = (g: GraphBuilder, s: Shape): Value => g.constant(new Float32Array(size(s)), s);
