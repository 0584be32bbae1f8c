import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CarryoverError } from '../../contract/errors.ts';
import { dicomFrame, dicomValues, isDicom, readDicom } from '../../engine/dicom/index.ts';
import type { Element } from './dicom-support.ts';
import {
  PYDICOM,
  differences,
  elementsBytes,
  encapsulated,
  greyFile,
  reference,
} from './dicom-support.ts';

const FOLDER = new URL('../reference/dicom/', import.meta.url);
const FILES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.dcm'))
  .map((name) => name.slice(0, -'.dcm'.length));

function nameAtPydicom(name: string): string {
  const path = name === 'CR1-6154' ? 'dicomdirtests/77654033/CR1/6154' : `${name}.dcm`;
  return `pydicom:test_files/${path}`;
}

/** A 64 x 64 image of signed 16 bits as HTJ2K without loss: no file of it is at hand. */
async function encoded(bytes: Buffer, syntax: string): Promise<Buffer> {
  const { data } = await dicomValues(bytes, 0);
  const { default: codecs } = await import('dcmjs-codecs');
  if (!codecs.NativeCodecs.isInitialized()) await codecs.NativeCodecs.initializeAsync();
  const context = new codecs.Context({
    width: 64,
    height: 64,
    bitsAllocated: 16,
    bitsStored: 16,
    samplesPerPixel: 1,
    pixelRepresentation: 1,
    planarConfiguration: 0,
    photometricInterpretation: 'MONOCHROME2',
    decodedBuffer: new Uint8Array(Int16Array.from(data).buffer),
  });
  const done = codecs.NativeCodecs.encodeHtJpeg2000(context, { lossy: false });
  const sides: Element[] = [
    ['00280010', 'US', [64]],
    ['00280011', 'US', [64]],
    ['00280103', 'US', [1]],
  ];
  return encapsulated(greyFile([], sides), Buffer.from(done.getEncodedBuffer() ?? []), syntax);
}

async function valuesOf(bytes: Buffer, frame = 0): Promise<number[]> {
  return [...(await dicomValues(bytes, frame)).data];
}

async function greysOf(
  bytes: Buffer,
  window: 'file' | 'percentile' | 'full' = 'file',
): Promise<number[]> {
  return [...(await dicomFrame(bytes, 0, window)).data];
}

describe('files of every transfer syntax', () => {
  // It says RGB, and pydicom believes it: the test below shows that its JPEG data are not.
  const compared = FILES.filter(
    (name) => nameAtPydicom(name) in PYDICOM && name !== 'SC_rgb_jpeg_lossy_gdcm',
  );

  it.each(compared)('%s has the values that pydicom reads', async (name) => {
    const expected = PYDICOM[nameAtPydicom(name)];
    if (expected === undefined) throw new Error(name);
    expect(await differences(reference(name), expected)).toEqual([]);
  });

  it('are many', () => {
    expect(compared.length).toBeGreaterThan(18);
    const syntaxes = new Set(compared.map((name) => readDicom(reference(name)).transferSyntax));
    expect(syntaxes.size).toBeGreaterThan(10);
  });

  it('give the same values of the same image', async () => {
    const one = await valuesOf(reference('MR_small_implicit'));
    for (const other of ['bigendian', 'RLE', 'jp2klossless', 'jpeg_ls_lossless']) {
      expect(await valuesOf(reference(`MR_small_${other}`))).toEqual(one);
    }
  });

  it.each(['4.201', '4.202', '4.203'])('HTJ2K (%s) comes back as it was', async (syntax) => {
    const file = await encoded(reference('MR_small_implicit'), `1.2.840.10008.1.2.${syntax}`);
    expect(readDicom(file).transferSyntax).toMatch(syntax);
    expect(await valuesOf(file)).toEqual(await valuesOf(reference('MR_small_implicit')));
  });

  it('make 16 bits of colour as bright as 8', async () => {
    const { data, channels } = await dicomFrame(reference('SC_rgb_rle_16bit_2frame'), 0, 'file');
    expect(channels).toBe(3);
    expect([...data.slice(0, 3)]).toEqual([255, 0, 0]);
    expect([...data.slice(15_000, 15_003)]).toEqual([128, 128, 255]);
  });

  it('take the colours of a JPEG for what its components are', async () => {
    // The same picture: once said to be RGB and stored as luma and colour differences.
    for (const name of ['SC_rgb_jpeg_lossy_gdcm', 'SC_rgb_jpeg_dcmtk', 'SC_rgb_jpeg_gdcm']) {
      const { data } = await dicomFrame(reference(name), 0, 'file');
      const [red = 0, green = 0, blue = 0] = data;
      expect([red > 250, green < 5, blue < 5]).toEqual([true, true, true]);
    }
  });
});

describe('windows', () => {
  const window = (centre: number, width: number, shape = 'LINEAR'): Element[] => [
    ['00281050', 'DS', String(centre)],
    ['00281051', 'DS', String(width)],
    ['00281056', 'CS', shape],
  ];
  const ramp = [0, 1, 2, 3, 4];

  it('are linear by the formula of the standard', async () => {
    // PS3.3 C.11.2.1.2: c = 2048, w = 4096 takes 0 to black and 4095 to white.
    expect(await greysOf(greyFile([0, 2047, 2048, 4095], window(2048, 4096)))).toEqual([
      0, 127, 128, 255,
    ]);
    expect(await greysOf(greyFile(ramp, window(2, 1)))).toEqual([0, 0, 255, 255, 255]);
  });

  it('are exact where the file says so', async () => {
    expect(await greysOf(greyFile(ramp, window(2, 4, 'LINEAR_EXACT')))).toEqual([
      0, 64, 128, 191, 255,
    ]);
  });

  it('are sigmoid where the file says so', async () => {
    const logistic = (x: number) => Math.round(255 / (1 + Math.exp(-4 * ((x - 2) / 3))));
    expect(await greysOf(greyFile(ramp, window(2, 3, 'SIGMOID')))).toEqual(ramp.map(logistic));
  });

  it('look at rescaled values, and the first counts', async () => {
    const file = greyFile(
      [0, 1000, 2000],
      [
        ['00281052', 'DS', '-1000'],
        ['00281053', 'DS', '2'],
        ['00281050', 'DS', '1000\\0'],
        ['00281051', 'DS', '4001\\1'],
      ],
    );
    expect(await valuesOf(file)).toEqual([-1000, 1000, 3000]);
    expect(await greysOf(file)).toEqual([0, 128, 255]);
  });

  it('turn MONOCHROME1 round, and its values stay', async () => {
    const file = greyFile([0, 4], [['00280004', 'CS', 'MONOCHROME1'], ...window(2.5, 5)]);
    expect(await greysOf(file)).toEqual([255, 0]);
    expect(await valuesOf(file)).toEqual([0, 4]);
  });

  it.each([0, 0.5])('of width %s are none: the percentiles are taken', async (width) => {
    const values = Array.from({ length: 101 }, (_, index) => index * 10);
    const greys = await greysOf(greyFile(values, window(500, width)));
    expect(greys).toEqual(await greysOf(greyFile(values), 'percentile'));
    expect([greys[1], greys[50], greys[99]]).toEqual([0, 128, 255]);
  });

  it('of percentiles and of the whole range leave padding out', async () => {
    const file = greyFile([-2000, -2000, 100, 200, 300], [['00280120', 'SS', [-2000]]]);
    expect(await greysOf(file, 'full')).toEqual([0, 0, 0, 128, 255]);
    expect(await greysOf(file, 'percentile')).toEqual([0, 0, 0, 128, 255]);
    const all = greyFile([7, 7], [['00280120', 'US', [7]]]);
    expect(await greysOf(all, 'full')).toEqual([0, 0]);
  });

  it('may be tables: the VOI LUT and the Modality LUT', async () => {
    const table = (first: number, values: number[]): Element[] => [
      ['00283002', 'US', [values.length, first, 8]],
      ['00283006', 'US', values],
    ];
    const voi = greyFile([9, 10, 11, 12, 13], [['00283010', 'SQ', [table(10, [0, 51, 255])]]]);
    expect(await greysOf(voi)).toEqual([0, 0, 51, 255, 255]);
    const modality = greyFile([9, 10, 11, 12], [['00283000', 'SQ', [table(10, [5, 6, 9])]]]);
    expect(await valuesOf(modality)).toEqual([5, 5, 6, 9]);
  });

  it('are the frame’s own in enhanced files', async () => {
    const own = (slope: number, width: number): Element[] => [
      [
        '00289145',
        'SQ',
        [
          [
            ['00281052', 'DS', '0'],
            ['00281053', 'DS', String(slope)],
          ],
        ],
      ],
      [
        '00289132',
        'SQ',
        [
          [
            ['00281050', 'DS', '50.5'],
            ['00281051', 'DS', String(width)],
          ],
        ],
      ],
    ];
    const file = greyFile(
      [0, 100, 0, 100],
      [
        ['00280008', 'IS', '2'],
        ['00280011', 'US', [2]],
        ['52009230', 'SQ', [own(1, 101), own(3, 401)]],
      ],
    );
    expect(await valuesOf(file, 1)).toEqual([0, 300]);
    expect([...(await dicomFrame(file, 0, 'file')).data]).toEqual([0, 255]);
    expect([...(await dicomFrame(file, 1, 'file')).data]).toEqual([96, 255]);
  });
});

describe('stored pixels', () => {
  it('of palettes are colours, with words or bytes as entries', async () => {
    const channel = (n: number, values: number[], bytes: boolean): Element[] => [
      [`0028110${n}`, 'US', [values.length, 5, bytes ? 8 : 16]],
      [`0028120${n}`, 'OW', bytes ? Buffer.from(values) : values.map((value) => value * 257)],
    ];
    for (const bytes of [true, false]) {
      const palette = [
        ...channel(1, [10, 20, 30, 40], bytes),
        ...channel(2, [1, 2, 3, 4], bytes),
        ...channel(3, [255, 128, 64, 0], bytes),
      ];
      const file = greyFile([0, 5, 6, 99], [['00280004', 'CS', 'PALETTE COLOR'], ...palette]);
      expect(await greysOf(file)).toEqual([10, 1, 255, 10, 1, 255, 20, 2, 128, 40, 4, 0]);
    }
  });

  it('keep their stored bits alone, with their sign', async () => {
    const bits: Element[] = [
      ['00280101', 'US', [12]],
      ['00280102', 'US', [11]],
    ];
    const signed = greyFile([0xf001, 0x0fff], [...bits, ['00280103', 'US', [1]]]);
    expect(await valuesOf(signed)).toEqual([1, -1]);
    expect(await valuesOf(greyFile([0xf001, 0x0fff], bits))).toEqual([1, 4095]);
  });

  it('of one bit run on from frame to frame', async () => {
    const file = greyFile(
      [],
      [
        ['00280008', 'IS', '3'],
        ['00280010', 'US', [1]],
        ['00280011', 'US', [3]],
        ['00280100', 'US', [1]],
        ['00280101', 'US', [1]],
        ['00280102', 'US', [0]],
        ['7fe00010', 'OB', Buffer.from([0b10_110_001, 0b1])],
      ],
    );
    expect([await valuesOf(file, 0), await valuesOf(file, 1), await valuesOf(file, 2)]).toEqual([
      [1, 0, 0],
      [0, 1, 1],
      [0, 1, 1],
    ]);
  });

  it('may be plane by plane', async () => {
    const colour: Element[] = [
      ['00280002', 'US', [3]],
      ['00280004', 'CS', 'RGB'],
      ['00280006', 'US', [1]],
      ['00280011', 'US', [2]],
      ['00280100', 'US', [8]],
      ['00280101', 'US', [8]],
      ['00280102', 'US', [7]],
      ['7fe00010', 'OB', Buffer.from([1, 2, 3, 4, 5, 6])],
    ];
    expect(await greysOf(greyFile([], colour))).toEqual([1, 3, 5, 2, 4, 6]);
  });
});

describe('what a file says', () => {
  it('is on the list of tags, in its character set; people are told apart by identifiers only', () => {
    const file = greyFile(
      [1],
      [
        ['00080005', 'CS', 'ISO_IR 192'],
        ['00080070', 'LO', 'Größe & Söhne'.normalize()],
        ['00100010', 'PN', 'Doe^Jane'],
        ['00100020', 'LO', 'ID-4711'],
        ['00100030', 'DA', '19700101'],
        ['00101010', 'AS', '045Y'],
        ['0020000d', 'UI', '1.2.3'],
      ].map(([tag, vr, value]) =>
        tag === '00080070' ? [tag, vr, Buffer.from('Größe & Söhne ')] : [tag, vr, value],
      ) as Element[],
    );
    const { tags, identifiers } = readDicom(file);
    expect(tags).toEqual({ Manufacturer: 'Größe & Söhne', Modality: 'OT', PatientAge: '045Y' });
    expect(identifiers).toEqual({
      patient: 'ID-4711',
      study: '1.2.3',
      series: null,
      name: 'Doe^Jane',
    });
  });

  it('can be read without preamble, and without a transfer syntax', async () => {
    const whole = greyFile([3, 4, 5]);
    const bare = whole.subarray(whole.indexOf(elementsBytes([['00080060', 'CS', 'OT']])));
    expect(isDicom(bare)).toBe(true);
    expect(await valuesOf(bare)).toEqual([3, 4, 5]);
    const meta = elementsBytes([['00020012', 'UI', '1.2']]);
    const silent = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), meta, bare]);
    expect(await valuesOf(silent)).toEqual([3, 4, 5]);
    expect(await valuesOf(Buffer.concat([meta, bare]))).toEqual([3, 4, 5]);
  });

  it('is not seen in other files', () => {
    const others = ['', 'II*\0', '\x89PNG\r\n\x1a\n', 'name,label\na.png,cat\n', '{"a": 1}'];
    for (const text of others) expect(isDicom(Buffer.from(text, 'latin1'))).toBe(false);
    expect(isDicom(Buffer.alloc(4096))).toBe(false);
  });
});

describe('a file that cannot be used', () => {
  const pixels = (bytes: number): Element => ['7fe00010', 'OW', Buffer.alloc(bytes)];
  const cases: [string, () => Buffer, RegExp][] = [
    ['a report', () => reference('test-SR'), /no pixels.*SR/],
    ['a cut-off file', () => reference('MR_truncated'), /cut off or damaged/],
    ['cut-off pixels', () => greyFile([1, 2, 3], [pixels(4)]), /4 of 6 bytes/],
    ['more frames than data', () => greyFile([1], [['00280008', 'IS', '999999999']]), /999999999/],
    ['no size', () => greyFile([1], [['00280011', 'US', [0]]]), /0 columns and 1 rows/],
    [
      'a huge size',
      () =>
        greyFile(
          [1],
          [
            ['00280011', 'US', [65535]],
            ['00280010', 'US', [65535]],
          ],
        ),
      /limit of 100 megapixels/,
    ],
    ['odd bits', () => greyFile([1], [['00280100', 'US', [24]]]), /24/],
    ['an odd colour space', () => greyFile([1], [['00280004', 'CS', 'HSV']]), /HSV/],
    [
      'no palette',
      () => greyFile([1], [['00280004', 'CS', 'PALETTE COLOR']]),
      /palette is missing/,
    ],
    ['another kind of file', () => Buffer.from('GIF89a, more or less'), /not DICOM/],
  ];

  it.each(cases)('%s is refused with the reason', async (_, make, reason) => {
    const failure = dicomFrame(make(), 0, 'file');
    await expect(failure).rejects.toBeInstanceOf(CarryoverError);
    await expect(failure).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(reason),
    });
  });

  it('names a frame that is not there, and a transfer syntax that is not read', async () => {
    await expect(dicomValues(greyFile([1]), 1)).rejects.toThrow('no frame 1: the file has 1');
    const video = reference('MR_small_RLE');
    const at = video.indexOf('1.2.840.10008.1.2.5');
    video.write('1.2.840.10008.1.9.5', at, 'latin1');
    await expect(dicomValues(video, 0)).rejects.toThrow('1.2.840.10008.1.9.5');
  });

  it('is refused wherever it is cut off, and never crashes', async () => {
    for (const name of FILES) {
      const whole = reference(name);
      for (let part = 1; part < 8; part++) {
        const cut = whole.subarray(0, Math.floor((whole.length * part) / 8));
        const outcome = await dicomFrame(cut, 0, 'file').catch((error: unknown) => error);
        const clean = outcome instanceof CarryoverError || !(outcome instanceof Error);
        expect(clean, `${name} cut at ${part}/8: ${String(outcome)}`).toBe(true);
      }
    }
  });

  it('leaves the codecs usable', async () => {
    const damaged = reference('MR_small_jp2klossless');
    damaged.fill(0xff, damaged.length - 4000);
    await expect(dicomValues(damaged, 0)).rejects.toThrow(/JPEG 2000/);
    expect(await valuesOf(reference('MR_small_jp2klossless'))).toEqual(
      await valuesOf(reference('MR_small_implicit')),
    );
  });
});
