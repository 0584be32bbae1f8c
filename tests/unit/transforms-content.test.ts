import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { contentHash, readContent } from '../../engine/transforms/content.ts';
import {
  decodeExact,
  decodeImage,
  decodeOwnSize,
  probeImage,
} from '../../engine/transforms/decode.ts';
import { inspectContent } from '../../engine/transforms/inspect.ts';
import { placeName, wholeFile } from '../../engine/transforms/place.ts';
import { END_MARK, tar, useFolder, zip } from './archives-support.ts';
import { greyFile, reference } from './dicom-support.ts';

const file = useFolder();
const recipe = { resize: 'stretch', background: '#ffffff' } as const;

function grey(width: number, height: number, at: (x: number, y: number) => number) {
  const data = Uint8Array.from({ length: width * height }, (_, i) =>
    at(i % width, Math.floor(i / width)),
  );
  return sharp(data, { raw: { width, height, channels: 1 } }).toColourspace('b-w');
}

const inspect = async (path: string) =>
  inspectContent(await readContent(wholeFile(path)), wholeFile(path));

describe('an image in an archive', () => {
  test('is the image of the file: the same pixels, header and hash', async () => {
    const bytes = await grey(9, 7, (x, y) => x * 20 + y)
      .png()
      .toBuffer();
    const alone = wholeFile(file('alone.png', bytes));
    const archives = [
      file('one.zip', zip([{ name: 'a/b.png', data: bytes, deflated: true }])),
      file('one.tar', Buffer.concat([tar([{ name: './a/b.png', data: bytes }]), END_MARK])),
    ];
    const hash = contentHash(await readContent(alone), null);
    expect(hash).toBe(createHash('sha256').update(bytes).digest('hex'));
    for (const path of archives) {
      const place = { file: path, entry: 'a/b.png', frame: null };
      expect(contentHash(await readContent(place), null)).toBe(hash);
      expect(await probeImage(place)).toEqual(await probeImage(alone));
      expect(await decodeImage(place, recipe, 5)).toEqual(await decodeImage(alone, recipe, 5));
    }
  });

  test('that is broken or empty is refused by archive, entry and reason', async () => {
    const path = file('bad.zip', zip([{ name: 'a.png', data: 'not a png' }, { name: 'b.png' }]));
    for (const [entry, reason] of [
      ['a.png', 'in no known image format'],
      ['b.png', 'the file is empty'],
    ] as const) {
      const place = { file: path, entry, frame: null };
      await expect(decodeOwnSize(place)).rejects.toMatchObject({
        code: 'bad-input',
        message: expect.stringMatching(`^${placeName(place)}: .*${reason}`) as string,
        detail: { file: path },
      });
    }
  });
});

describe('inspection', () => {
  test('mean and deviation of the luma over all pixels', async () => {
    const path = file(
      'half.png',
      await grey(64, 64, (x) => (x < 32 ? 0 : 255))
        .png()
        .toBuffer(),
    );
    const { luma32, mean, deviation, ...info } = await inspect(path);
    expect(info).toEqual({ format: 'png', width: 64, height: 64, pages: 1 });
    expect([mean, deviation]).toEqual([0.5, 0.5]);
    const row = Array.from({ length: 32 }, (_, x) => (x < 16 ? 0 : 255));
    expect([...luma32]).toEqual(Array.from({ length: 32 }, () => row).flat());
  });

  test('colours by their luma, transparency on white', async () => {
    const red = { create: { width: 5, height: 5, channels: 4, background: '#ff0000ff' } } as const;
    const colour = await inspect(file('red.png', await sharp(red).png().toBuffer()));
    expect(new Set(colour.luma32)).toEqual(new Set([76]));
    expect(colour.mean).toBeCloseTo(76 / 255, 12);
    const clear = { create: { ...red.create, background: '#00000000' } } as const;
    expect((await inspect(file('clear.png', await sharp(clear).png().toBuffer()))).mean).toBe(1);
  });

  test('areas that pixels only partly fall in get their share', async () => {
    const path = file(
      'three.png',
      await grey(3, 1, (x) => x * 120)
        .png()
        .toBuffer(),
    );
    const { luma32 } = await inspect(path);
    const shares = (from: number, to: number) => {
      const at = (pixel: number) => Math.max(0, Math.min(to, pixel + 1) - Math.max(from, pixel));
      return Math.round((at(1) * 120 + at(2) * 240) / (to - from));
    };
    const row = Array.from({ length: 32 }, (_, x) => shares((x * 3) / 32, ((x + 1) * 3) / 32));
    expect([...luma32.subarray(31 * 32)]).toEqual(row);
  });

  test('large images are measured on a smaller version, close to their own', async () => {
    const wave = (x: number, y: number) => 128 + 100 * Math.sin(x / 90) * Math.cos(y / 70);
    const large = await inspect(file('large.png', await grey(900, 700, wave).png().toBuffer()));
    const exact: number[] = [];
    for (let y = 0; y < 700; y++) for (let x = 0; x < 900; x++) exact.push(Math.floor(wave(x, y)));
    const mean = exact.reduce((sum, value) => sum + value, 0) / exact.length;
    expect(large.mean).toBeCloseTo(mean / 255, 2);
    expect([large.width, large.height]).toEqual([900, 700]);
  });

  test('an image that is cut off is refused, small and large', async () => {
    for (const side of [64, 900]) {
      const bytes = await grey(side, side, (x, y) => (x * y) % 251)
        .png()
        .toBuffer();
      const path = file('cut.png', bytes.subarray(0, bytes.length - 40));
      await expect(inspect(path)).rejects.toThrow(/cannot be decoded: .*(cut off|damaged|error)/);
    }
  });
});

describe('DICOM', () => {
  const values = [-1000, 0, 40, 400, 3000];
  const window = [
    ['00281050', 'DS', '40'],
    ['00281051', 'DS', '400'],
  ] as const;

  test('its window is part of the recipe', async () => {
    const place = wholeFile(
      file(
        'ct',
        greyFile(
          values,
          window.map((each) => [...each]),
        ),
      ),
    );
    expect(await probeImage(place)).toEqual({ format: 'dicom', width: 5, height: 1, pages: 1 });
    const own = await decodeOwnSize(place);
    expect([own.channels, own.data[0], own.data[3], own.data[4]]).toEqual([1, 0, 255, 255]);
    expect(own.data[2]).toBeGreaterThan(120);
    const full = await decodeOwnSize(place, 'full');
    expect([...full.data]).toEqual(
      values.map((value) => Math.round(((value + 1000) / 4000) * 255)),
    );
    const wide = { ...recipe, window: 'full' } as const;
    expect(await decodeImage(place, wide, 5, 1)).not.toEqual(
      await decodeImage(place, recipe, 5, 1),
    );
  });

  test('exact values are kept in 16 bits', async () => {
    const exact = await decodeExact(wholeFile(file('exact', greyFile(values))));
    expect([...exact.data]).toEqual(values.map((value) => value + 1000));
    expect(exact.lost).toEqual(['zero (values are raised by 1000)']);
    const slope = greyFile([0, 1, 3], [['00281053', 'DS', '0.5']]);
    const scaled = await decodeExact(wholeFile(file('slope', slope)));
    expect([...scaled.data]).toEqual([0, 21845, 65535]);
    expect(scaled.lost[0]).toContain('exact values');
  });

  test('each frame is an image with a hash of its own', async () => {
    const bytes = reference('SC_rgb_rle_16bit_2frame');
    const path = file('frames.dcm', bytes);
    const frames = [0, 1].map((frame) => ({ file: path, entry: null, frame }));
    const whole = createHash('sha256').update(bytes).digest('hex');
    const hashes = frames.map(({ frame }) =>
      createHash('sha256').update(`${whole}#${frame}`).digest('hex'),
    );
    for (const [i, place] of frames.entries()) {
      const content = await readContent(place);
      expect(contentHash(content, place.frame)).toBe(hashes[i]);
      expect(await inspectContent(content, place)).toMatchObject({ format: 'dicom', pages: 2 });
    }
    const [first, second] = await Promise.all(frames.map((place) => decodeOwnSize(place)));
    expect(first!.data).not.toEqual(second!.data);
    const beyond = { file: path, entry: null, frame: 2 };
    await expect(decodeOwnSize(beyond)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('frames.dcm#2: ') as string,
    });
  });

  test('a frame is read anew where the file has changed', async () => {
    const path = file('changing.dcm', greyFile([1, 2, 3]));
    const place = { file: path, entry: null, frame: 0 };
    const before = contentHash(await readContent(place), 0);
    writeFileSync(path, greyFile([1, 2, 3, 4]));
    expect(contentHash(await readContent(place), 0)).not.toBe(before);
  });

  test('without preamble, in an archive', async () => {
    const bare = greyFile([1, 2, 3]).subarray(128 + 'DICM'.length);
    const path = file('dicom.zip', zip([{ name: 'IM1', data: bare, deflated: true }]));
    const place = { file: path, entry: 'IM1', frame: 0 };
    expect(await probeImage(place)).toMatchObject({ format: 'dicom', width: 3, height: 1 });
    expect([...(await decodeOwnSize(place, 'full')).data]).toEqual([0, 128, 255]);
  });

  test('that is cut off is refused by name', async () => {
    const place = wholeFile(file('cut.dcm', reference('MR_truncated')));
    await expect(decodeOwnSize(place)).rejects.toThrow(/cut\.dcm: /);
  });
});

describe('pixels of many kinds', () => {
  test('16 bits, grey and alpha, in a TIFF on a chosen colour', async () => {
    const values = Uint16Array.from([65535, 65535, 65535, 0, 0, 65535, 257 * 100, 65535]);
    const raw = { width: 2, height: 2, channels: 2 } as const;
    const image = sharp(values, { raw }).toColourspace('grey16').tiff({ compression: 'lzw' });
    const place = wholeFile(file('deep.tif', await image.toBuffer()));
    const onGreen = await decodeImage(place, { resize: 'stretch', background: '#00ff00' }, 2);
    expect([...onGreen]).toEqual([255, 255, 255, 0, 255, 0, 0, 0, 0, 100, 100, 100]);
  });

  test('grey that does not fill a coloured square', async () => {
    for (const side of [4, 40]) {
      const path = file(
        'strip.png',
        await grey(2 * side, side, () => 200)
          .png()
          .toBuffer(),
      );
      const how = { resize: 'fit', background: '#00ff00' } as const;
      const pixels = await decodeImage(wholeFile(path), how, 16);
      expect([...pixels.subarray(0, 3)]).toEqual([0, 255, 0]);
      expect([...pixels.subarray(8 * 16 * 3, 8 * 16 * 3 + 3)]).toEqual([200, 200, 200]);
    }
  });

  test('animated WebP: the first frame, the others counted', async () => {
    const frames = Buffer.concat([Buffer.alloc(8 * 8 * 3, 200), Buffer.alloc(8 * 8 * 3, 10)]);
    const raw = { width: 8, height: 16, channels: 3, pageHeight: 8 } as const;
    const bytes = await sharp(frames, { raw }).webp({ lossless: true }).toBuffer();
    const place = wholeFile(file('two.webp', bytes));
    expect(await probeImage(place)).toEqual({ format: 'webp', width: 8, height: 8, pages: 2 });
    expect(new Set(await decodeImage(place, recipe, 4))).toEqual(new Set([200]));
  });

  test('EXIF rotation and CMYK hold where images are resized and inspected', async () => {
    const turned = grey(6, 2, (x) => (x < 3 ? 255 : 0)).withMetadata({ orientation: 6 });
    const path = file('turned.png', await turned.png().toBuffer());
    const { width, height, luma32 } = await inspect(path);
    expect([width, height, luma32[0], luma32[32 * 32 - 1]]).toEqual([2, 6, 255, 0]);
    const blue = { create: { width: 8, height: 8, channels: 3, background: '#2030d0' } } as const;
    const cmyk = await sharp(blue).toColourspace('cmyk').jpeg().toBuffer();
    const [red, , last] = await decodeImage(wholeFile(file('cmyk.jpg', cmyk)), recipe, 1);
    expect(last! - red!).toBeGreaterThan(60);
  });
});
