import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ARCHITECTURES, architectureSchema } from '../../contract/architecture.ts';
import { recipeSchema } from '../../contract/study.ts';
import {
  DECONVNET,
  buildDeconvnet,
  deepestFineMap,
  mapsOf,
} from '../../engine/analysis/visual/graphs.ts';
import { cosines } from '../../engine/analysis/visual/filters.ts';
import type { MaximiseOptions } from '../../engine/analysis/visual/maximise.ts';
import { maximise, rolled, variationSlope } from '../../engine/analysis/visual/maximise.ts';
import {
  boundsOf,
  enlarged,
  filtersPicture,
  imagePicture,
  overlayPicture,
  signalPicture,
  viridis,
} from '../../engine/analysis/visual/pictures.ts';
import { StrongestImages } from '../../engine/analysis/visual/strongest.ts';
import { VisualSession } from '../../engine/analysis/visual/session.ts';
import { GraphBuilder } from '../../engine/graph/builder.ts';
import { gradients } from '../../engine/graph/gradients.ts';
import type { Value } from '../../engine/graph/types.ts';
import { evaluationInto } from '../../engine/transforms/augment.ts';

const numbers = (length: number) =>
  fc
    .array(fc.integer({ min: -9, max: 9 }), { minLength: length, maxLength: length })
    .map((values) => Float32Array.from(values));

/** The signal that is sent back to x from the given position of `build(x)`. */
async function sentBack(
  shape: number[],
  given: Record<string, Float32Array>,
  build: (g: GraphBuilder, x: Value) => Value,
): Promise<number[]> {
  const g = new GraphBuilder();
  const x = g.input('x', shape);
  const y = build(g, x);
  const start = g.input('start', y.shape);
  const [signal] = gradients(g, g.reduceSum(g.mul(y, start)), [x], DECONVNET) as [Value];
  const session = await VisualSession.create(g.finish([['signal', signal]]));
  try {
    const outputs = await session.run(new Map(), given, shape[0] ?? 1);
    return [...outputs.get('signal')!].map((value) => value + 0);
  } finally {
    await session.close();
  }
}

describe('the deconvnet', () => {
  test('of one linear layer is its filter, whatever the image', async () => {
    const filter = Float32Array.of(1, -2, 3, -4, 5, -6, 7, -8, 9);
    const start = new Float32Array(9);
    start[4] = 1;
    const signal = await sentBack(
      [1, 1, 3, 3],
      { x: new Float32Array(9).fill(-1), start },
      (g, x) => g.conv2d(x, g.constant(filter, [1, 1, 3, 3]), { stride: 1, pad: 1 }),
    );
    expect(signal).toEqual([...filter]);
  });

  test('cuts off what is negative on the way, not what the network cut off', async () => {
    const given = { x: Float32Array.of(-1, -1, 1, 1), start: Float32Array.of(-2, 3, -4, 5) };
    const signal = await sentBack([1, 1, 2, 2], given, (g, x) => g.relu(x));
    expect(signal).toEqual([0, 3, 0, 5]);
  });

  test('goes to the maximum of each window, and not through windows in which nothing is active', async () => {
    const x = Float32Array.of(1, 2, -1, -1, 4, 3, -2, 0);
    const given = { x, start: Float32Array.of(5, 7) };
    const signal = await sentBack([1, 1, 2, 4], given, (g, image) =>
      g.maxPool(g.relu(image), { size: 2, stride: 2, pad: 0 }),
    );
    expect(signal).toEqual([0, 0, 0, 0, 5, 0, 0, 0]);
  });

  test('hands the signal of a sum to both branches', async () => {
    const given = { x: Float32Array.of(1, 2), start: Float32Array.of(1, 10) };
    const signal = await sentBack([2, 1], given, (g, x) => g.add(g.mul(x, g.constant(3)), x));
    expect(signal).toEqual([4, 40]);
  });
});

describe('maps of networks', () => {
  const options = (name: (typeof ARCHITECTURES)[number]) => ({
    architecture: architectureSchema.parse({ name, image: 64, width: 8 }),
    classes: 2,
    batch: 1,
  });

  test.each(ARCHITECTURES)('%s: the deepest one that says where has 4 x 4 positions', (name) => {
    const maps = [...mapsOf(options(name))];
    const deepest = deepestFineMap(options(name));
    const at = maps.findIndex(([tap]) => tap === deepest);
    expect(maps[at]?.[1][2]).toBeGreaterThanOrEqual(4);
    expect(maps.slice(at + 1).every(([, shape]) => shape[2]! < 4)).toBe(true);
  });

  test('a name that is none of them is refused with those that are', () => {
    const attempt = () => buildDeconvnet(options('convnet'), 'pool');
    expect(attempt).toThrow(
      expect.objectContaining({
        code: 'bad-input',
        detail: expect.objectContaining({ wayOut: 'take one of block1, block2, block3' }) as object,
      }) as Error,
    );
  });
});

describe('the strongest images of a channel', () => {
  test('are those that looking at all of them finds, in whatever batches they come', () => {
    const [images, channels, positions, most] = [7, 3, 4, 3];
    fc.assert(
      fc.property(
        numbers(images * channels * positions),
        fc.integer({ min: 1, max: images }),
        (maps, batch) => {
          const strongest = new StrongestImages(channels, most);
          const size = channels * positions;
          for (let first = 0; first < images; first += batch) {
            const count = Math.min(batch, images - first);
            strongest.add(maps.subarray(first * size, (first + count) * size), count);
          }
          for (let channel = 0; channel < channels; channel++) {
            const all = Array.from({ length: images }, (_, image) => {
              const own = [...maps].slice((image * channels + channel) * positions).slice(0, 4);
              const value = Math.max(...own);
              return { image, value, position: own.indexOf(value) };
            });
            all.sort((a, b) => b.value - a.value || a.image - b.image);
            expect(strongest.ofChannel(channel)).toEqual(all.slice(0, most));
          }
        },
      ),
    );
  });

  test('channels come by the mean of their peaks', () => {
    const strongest = new StrongestImages(3, 2);
    strongest.add(Float32Array.of(1, 5, 0, 2, 4, 9), 2);
    expect(strongest.channels(2)).toEqual([1, 2]);
  });
});

test('cosines of filters: turned, scaled, at right angles, gone', () => {
  const start = Float32Array.of(1, 2, 3, 4, 1, 0, 1, 1);
  const trained = Float32Array.of(-1, -2, 6, 8, 0, 5, 0, 0);
  cosines(trained, start, 4).forEach((cosine, filter) => {
    expect(cosine).toBeCloseTo([-1, 1, 0, 0][filter]!, 12);
  });
});

describe('activation maximisation', () => {
  /** Of one number: the sum of the image times `direction`. */
  function linear(direction: Float32Array) {
    const g = new GraphBuilder();
    const x = g.input('images', [2, 1, 2, 2]);
    const channels = g.input('channels', [2, 1]);
    const flat = g.reshape(x, [2, 4]);
    const answers = g.matMul(flat, g.constant(direction, [1, 4]), { transposeB: true });
    const answer = g.reduceSum(g.mul(answers, channels), [1]);
    const [slope] = gradients(g, g.reduceSum(answer), [x]) as [Value];
    return g.finish([
      ['answer', answer],
      ['slope', slope],
    ]);
  }
  const settings: MaximiseOptions = {
    ...{ seed: 1, steps: 60, rate: 0.2, decay: 0, smoothing: 0, jitter: 0 },
    bounds: [[-1, 2]],
  };
  const direction = Float32Array.of(1, -2, 3, -1);
  const shape = { channels: 1, side: 2 };

  test('of a linear answer ends in the corner of what pixels can be', async () => {
    const { images, answers } = await maximise(linear(direction), new Map(), [0, 0], shape, {
      ...settings,
    });
    expect([...images]).toEqual([2, -1, 2, -1, 2, -1, 2, -1]);
    expect([...answers]).toEqual([11, 11]);
  });

  test('with decay it rests where the step and the decay are equal', async () => {
    const options = { ...settings, steps: 2000, decay: 0.5 };
    const { images } = await maximise(linear(direction), new Map(), [0, 0], shape, options);
    const rms = Math.sqrt((1 + 4 + 9 + 1) / 4);
    direction.forEach((value, at) => expect(images[at]).toBeCloseTo((0.4 * value) / rms, 5));
  });

  test('is the same again, and another with another seed', async () => {
    const few = { ...settings, steps: 2, jitter: 1 };
    const run = async (seed: number) => {
      const options = { ...few, seed };
      return [...(await maximise(linear(direction), new Map(), [0, 0], shape, options)).images];
    };
    expect(await run(1)).toEqual(await run(1));
    expect(await run(1)).not.toEqual(await run(2));
  });

  test('the slope of the total variation is that of central differences', () => {
    const half = (values: Float32Array, side: number): number => {
      let sum = 0;
      values.forEach((value, at) => {
        const [row, column] = [Math.floor(at / side) % side, at % side];
        if (column + 1 < side) sum += (value - values[at + 1]!) ** 2 / 2;
        if (row + 1 < side) sum += (value - values[at + side]!) ** 2 / 2;
      });
      return sum;
    };
    fc.assert(
      fc.property(numbers(2 * 9), (values) => {
        variationSlope(values, 3).forEach((slope, at) => {
          const moved = (by: number) => {
            const copy = values.slice();
            copy[at]! += by;
            return half(copy, 3);
          };
          expect(slope).toBe((moved(0.5) - moved(-0.5)) / 1);
        });
      }),
    );
  });

  test('what is rolled and rolled back is as before', () => {
    const by = fc.integer({ min: -5, max: 5 });
    fc.assert(
      fc.property(numbers(2 * 9), by, by, (planes, down, right) => {
        expect(rolled(rolled(planes, 3, down, right), 3, -down, -right)).toEqual(planes);
      }),
    );
    const corner = Float32Array.of(1, 0, 0, 0);
    expect([...rolled(corner, 2, 0, 1)]).toEqual([0, 1, 0, 0]);
    expect([...rolled(corner, 2, -1, 0)]).toEqual([0, 0, 1, 0]);
  });
});

describe('pictures', () => {
  const recipe = recipeSchema.parse({ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });

  test.each([1, 3] as const)('an image of %i channels is what it was', (channels) => {
    const pixels = Uint8Array.from({ length: 16 * channels }, (_, i) => (i * 97) % 256);
    const normalised = new Float32Array(pixels.length);
    evaluationInto(pixels, 4, recipe, 4, normalised, 0, channels);
    expect(imagePicture(normalised, 4, channels, recipe).pixels).toEqual(pixels);
  });

  test('bounds are black and white', () => {
    const [red] = boundsOf(recipe, 3);
    expect(red?.[0]).toBeCloseTo(-0.485 / 0.229, 12);
    expect(red?.[1]).toBeCloseTo((1 - 0.485) / 0.229, 12);
  });

  test('a signal is around grey, its largest magnitude at an end', () => {
    const { pixels } = signalPicture(Float32Array.of(0, -4, 2, 4), 2, 1);
    expect([...pixels]).toEqual([128, 0, 191, 255]);
    expect([...signalPicture(new Float32Array(4), 2, 1).pixels]).toEqual([128, 128, 128, 128]);
  });

  test("viridis is matplotlib's at both ends and in the middle", () => {
    expect(viridis(0)).toEqual([68, 1, 84]);
    expect(viridis(0.5)).toEqual([33, 145, 140]);
    expect(viridis(1)).toEqual([253, 231, 37]);
  });

  test('an overlay is half the grey image, half the colour of the map', () => {
    const image = {
      pixels: new Uint8Array(4).fill(100),
      width: 2,
      height: 2,
      channels: 1,
    } as const;
    const { pixels } = overlayPicture(image, Float32Array.of(0, 1, 2, 4), 2);
    const expected = [0, 64 / 255, 128 / 255, 1].flatMap((share) =>
      viridis(share).map((colour) => Math.round((100 + colour) / 2)),
    );
    expect([...pixels]).toEqual(expected);
  });

  test('filters lie side by side with white between them', () => {
    const { pixels, width, height } = filtersPicture(Float32Array.of(1, -2, 0), 3, 1, 1);
    expect([width, height]).toEqual([5, 5]);
    const rows = Array.from({ length: 5 }, (_, row) => [...pixels.subarray(row * 5, row * 5 + 5)]);
    const white = [255, 255, 255, 255, 255];
    expect(rows).toEqual([white, [255, 255, 255, 0, 255], white, [255, 128, 255, 255, 255], white]);
  });

  test('enlarged: every pixel is a square', () => {
    const small = { pixels: Uint8Array.of(1, 2), width: 2, height: 1, channels: 1 } as const;
    const large = enlarged(small, 2);
    expect({ ...large, pixels: [...large.pixels] }).toEqual({
      ...{ width: 4, height: 2, channels: 1 },
      pixels: [1, 1, 2, 2, 1, 1, 2, 2],
    });
  });
});
