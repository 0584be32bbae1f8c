/**
 * MobileNetV2 (Sandler et al., arXiv 1801.04381) as torchvision builds it, without the dropout
 * before the classifier. Parameter names are torchvision's. The dialect `keras` pads as Keras does
 * before strided convolutions, and takes its BatchNorm's epsilon.
 */
import type { Value } from '../graph/types.ts';
import { ZERO, batchNorm, channelsOf, convolution, globalPool, linear } from './layers.ts';
import type { Model, ModelOptions } from './model.ts';
import { ModelBuilder } from './model.ts';

interface Row {
  /** Channels inside a block, as a multiple of those it is given. */
  expansion: number;
  /** Of the block's result, at full width. */
  channels: number;
  blocks: number;
  /** Of the row's first block. */
  stride: number;
}

/** Table 2 of the paper. */
const ROWS: readonly Row[] = [
  { expansion: 1, channels: 16, blocks: 1, stride: 1 },
  { expansion: 6, channels: 24, blocks: 2, stride: 2 },
  { expansion: 6, channels: 32, blocks: 3, stride: 2 },
  { expansion: 6, channels: 64, blocks: 4, stride: 2 },
  { expansion: 6, channels: 96, blocks: 3, stride: 1 },
  { expansion: 6, channels: 160, blocks: 3, stride: 2 },
  { expansion: 6, channels: 320, blocks: 1, stride: 1 },
];
const FULL_WIDTH = 32;
const LAST_CHANNELS = 1280;

/** The nearest multiple of 8, at least 8, that is not below 0.9 of the value. */
function divisible(value: number): number {
  const rounded = Math.max(8, Math.floor((value + 4) / 8) * 8);
  return rounded < 0.9 * value ? rounded + 8 : rounded;
}

/**
 * Builds the network's forward pass. A stage begins at each strided block; the first such stage is
 * `stage1`, and what lies before it the stem.
 */
export function buildMobileNetV2(options: ModelOptions): Model {
  const m = new ModelBuilder(options);
  const images = m.images();
  const factor = options.architecture.width / FULL_WIDTH;
  let stages = 0;
  let index = 0;
  const feature = (stride: number, body: () => Value): Value => {
    if (stride === 2 && index > 0) stages += 1;
    const name = `features.${index++}`;
    const stage = stages === 0 ? 'stem' : `stage${stages}`;
    return m.tap(
      name,
      m.stage(stage, () => m.namedModule(name, body)),
    );
  };
  const first = { filters: divisible(FULL_WIDTH * factor), side: 3, stride: 2 };
  let x = feature(2, () => activated(m, ['0', '1'], images, first));
  for (const { expansion, channels, blocks, stride } of ROWS) {
    const filters = divisible(channels * factor);
    for (let block = 0; block < blocks; block++) {
      const step = block === 0 ? stride : 1;
      x = feature(step, () => m.g.scope('conv', () => inverted(m, x, expansion, filters, step)));
    }
  }
  const last = { filters: divisible(LAST_CHANNELS * Math.max(1, factor)), side: 1 };
  x = feature(1, () => activated(m, ['0', '1'], x, last));
  const pooled = globalPool(m, x);
  const drawn = { weight: { kind: 'normal', std: 0.01 }, bias: ZERO } as const;
  const head = () => linear(m, 'classifier.1', pooled, options.classes, drawn);
  return m.finish(
    images,
    m.stage('head', () => m.module('classifier', head)),
  );
}

interface Filters {
  filters: number;
  side: number;
  stride?: number;
  groups?: number;
}

function isKeras(m: ModelBuilder): boolean {
  return m.options.architecture.dialect === 'keras';
}

function normalised(m: ModelBuilder, name: string, x: Value): Value {
  return batchNorm(m, name, x, isKeras(m) ? 1e-3 : 1e-5);
}

/** Keras' `correct_pad`: of an even side, the near edge of a strided convolution is not padded. */
function padding(m: ModelBuilder, x: Value, { side, stride = 1 }: Filters) {
  const pad = (side - 1) / 2;
  const even = (x.shape[2] ?? 0) % 2 === 0;
  return isKeras(m) && stride === 2 && even ? { pad: pad - 1, padEnd: pad } : { pad };
}

/** Convolution, BatchNorm and relu6, of the names given. */
function activated(
  m: ModelBuilder,
  [filter, norm]: readonly [string, string],
  x: Value,
  given: Filters,
): Value {
  const convolved = convolution(m, filter, x, { ...given, ...padding(m, x, given) });
  return m.g.relu6(normalised(m, norm, convolved));
}

/** 1x1 to more channels, 3x3 within each of them, 1x1 to few channels again. */
function inverted(
  m: ModelBuilder,
  x: Value,
  expansion: number,
  filters: number,
  stride: number,
): Value {
  const inner = channelsOf(x) * expansion;
  let out = x;
  let index = 0;
  if (expansion !== 1) {
    out = activated(m, ['0.0', '0.1'], x, { filters: inner, side: 1 });
    index = 1;
  }
  const names = [`${index}.0`, `${index}.1`] as const;
  out = activated(m, names, out, { filters: inner, side: 3, stride, groups: inner });
  out = convolution(m, `${index + 1}`, out, { filters, side: 1 });
  out = normalised(m, `${index + 2}`, out);
  return stride === 1 && channelsOf(x) === filters ? m.g.add(x, out) : out;
}
