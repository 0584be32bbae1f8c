import { damaged } from './file.ts';

const UINT8 = 0x08;

/** Whether bytes begin as an IDX file: two zeros, a type of numbers, the number of axes. */
export function isIdx(bytes: Buffer): boolean {
  if (bytes.length < 8 || bytes[0] !== 0 || bytes[1] !== 0) return false;
  return (
    [0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0e].includes(bytes[2]!) && bytes[3]! >= 1 && bytes[3]! <= 4
  );
}

/**
 * The axes of an IDX file of uint8 (http://yann.lecun.com/exdb/mnist) and where its numbers begin.
 * @throws bad-input for another type of numbers
 */
export function idxHeader(path: string, bytes: Buffer): { shape: number[]; begin: number } {
  if (!isIdx(bytes)) throw damaged(path, 'not an IDX file: it does not begin as one');
  if (bytes[2] !== UINT8) {
    throw damaged(
      path,
      `its numbers are of type 0x${bytes[2]!.toString(16).padStart(2, '0')}; only uint8 (0x08) is read`,
      'write it with unsigned bytes',
    );
  }
  const axes = bytes[3]!;
  const begin = 4 + 4 * axes;
  if (bytes.length < begin) throw damaged(path, 'truncated: no complete IDX header');
  return { shape: Array.from({ length: axes }, (_, i) => bytes.readUInt32BE(4 + 4 * i)), begin };
}
