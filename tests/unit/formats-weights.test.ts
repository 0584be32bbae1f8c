import fc from 'fast-check';
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CarryoverError } from '../../contract/errors.ts';
import { readWeightsFile } from '../../engine/formats/weights.ts';
import { reference, temporaryFiles } from './formats-support.ts';

const write = temporaryFiles();

/** Reads the file and all its tensors; passes when that works or fails on purpose. */
async function readAll(path: string): Promise<void> {
  try {
    for (const tensor of (await readWeightsFile(path)).tensors.values()) tensor.read();
  } catch (error) {
    expect(error).toBeInstanceOf(CarryoverError);
    expect((error as CarryoverError).code).not.toBe('internal');
  }
}

describe('files of weights', () => {
  it.each([
    ['nothing', '', /an empty file/],
    ['a web page', '<!doctype html>', /web page/],
    ['a pointer of Git LFS', 'version https://git-lfs.github.com/spec/v1', /git lfs pull/],
    ['a plain pickle', '\x80\x04N.', /pickle that torch\.save did not write/],
    ['something else', 'PNG?', /begins with the bytes 50 4e 47 3f/],
  ])('names %s and what is accepted', async (_, content, message) => {
    const path = write('model.safetensors', Buffer.from(content, 'latin1'));
    const failure = await readWeightsFile(path).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CarryoverError);
    const { message: text, detail } = failure as CarryoverError;
    expect(text).toMatch(message);
    expect(text).toContain(path);
    expect(detail.wayOut).toMatch(/safetensors.*PyTorch.*model\.json.*\.keras.*ONNX/);
  });

  it('knows a file by its content, whatever its name', async () => {
    const path = write('model.h5', readFileSync(reference('zip.pth')));
    expect((await readWeightsFile(path)).format).toBe('pytorch-zip');
  });

  it('names a zip archive of something else by its files', async () => {
    const zip = readFileSync(reference('swapped.pth'))
      .toString('latin1')
      .replaceAll('.pkl', '.txt');
    const path = write('model.pt', Buffer.from(zip, 'latin1'));
    await expect(readWeightsFile(path)).rejects.toThrow(/zip archive of 5 files \(.*data\.txt/);
  });

  it('takes the model.json of a folder, and says of a folder without one what is accepted', async () => {
    const text = '{"format": "layers-model", "weightsManifest": []}';
    const folder = dirname(write('model.json', text));
    expect((await readWeightsFile(folder)).format).toBe('tfjs-layers');
    rmSync(join(folder, 'model.json'));
    await expect(readWeightsFile(folder)).rejects.toMatchObject({
      code: 'bad-input',
      message: `${folder} is a folder without a model.json`,
      detail: {
        file: folder,
        wayOut: expect.stringMatching(/safetensors.*\.keras.*ONNX/) as string,
      },
    });
  });

  it('names a file that is not there', async () => {
    await expect(readWeightsFile('absent.pth')).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('damaged and hostile files fail on purpose, and nothing else happens', () => {
  const beginnings = [
    '',
    '\x80\x02',
    '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.',
    'PK\x03\x04',
    '\x08\x07:',
  ];

  it('random bytes', async () => {
    const content = fc.tuple(fc.constantFrom(...beginnings), fc.uint8Array({ maxLength: 400 }));
    await fc.assert(
      fc.asyncProperty(content, ([beginning, rest]) =>
        readAll(write('random', Buffer.concat([Buffer.from(beginning, 'latin1'), rest]))),
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    'zip.pth',
    'deflated.pth',
    'legacy.pth',
    'legacy-protocol4.pth',
    'tar.pth',
    'checkpoint.pth',
    'module.pth',
    'all.safetensors',
    'kept.onnx',
  ])('%s with bytes changed, cut out or put in', async (name) => {
    const bytes = readFileSync(reference(name));
    const place = fc.nat(bytes.length - 1);
    const change = fc.tuple(place, fc.nat(3), fc.uint8Array({ maxLength: 3 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const content = changes.reduce(
          (all, [at, cut, put]) =>
            Buffer.concat([all.subarray(0, at), put, all.subarray(at + cut)]),
          bytes,
        );
        return readAll(write('mutated', content));
      }),
      { numRuns: 150 },
    );
  });

  it.each(['zip.pth', 'legacy.pth', 'tar.pth', 'all.safetensors', 'kept.onnx'])(
    '%s cut off anywhere',
    async (name) => {
      const bytes = readFileSync(reference(name));
      for (let length = 0; length < bytes.length; length += 37) {
        await readAll(write('cut', bytes.subarray(0, length)));
      }
    },
  );
});
