/** Archives written byte by byte, so that they can be as wrong as needed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll } from 'vitest';

/** A folder of the test file's own; returns how to write a file into it. */
export function useFolder(): (name: string, bytes: Uint8Array | string) => string {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'carryover-archives-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  return (name, bytes) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };
}

export interface ZipPart {
  name: string | Buffer;
  data?: Buffer | string;
  deflated?: boolean;
  /** What the directory says where it is not the truth. */
  bytes?: number;
  crc?: number;
  method?: number;
  flags?: number;
  /** Upper half of the external attributes: mode of Unix. */
  mode?: number;
  /** Sizes and offset in the zip64 extra field. */
  zip64?: boolean;
  /** Refers to the contents of the entry of this number. */
  contentsOf?: number;
}

const UTF8 = 0x800;

export function zip(parts: ZipPart[], options: { zip64?: boolean } = {}): Buffer {
  const bodies: Buffer[] = [];
  const offsets: number[] = [];
  let at = 0;
  for (const part of parts) {
    if (part.contentsOf !== undefined) {
      offsets.push(offsets[part.contentsOf]!);
      continue;
    }
    const local = Buffer.concat([localHeader(part), nameOf(part), packed(part)]);
    offsets.push(at);
    bodies.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(parts.map((part, i) => centralHeader(part, offsets[i]!)));
  const end = options.zip64 ? zip64End(parts.length, directory.length, at) : Buffer.alloc(0);
  return Buffer.concat([
    ...bodies,
    directory,
    end,
    endOf(parts.length, directory.length, at, options),
  ]);
}

function nameOf({ name }: ZipPart): Buffer {
  return typeof name === 'string' ? Buffer.from(name) : name;
}

function dataOf({ data = '' }: ZipPart): Buffer {
  return typeof data === 'string' ? Buffer.from(data) : data;
}

function packed(part: ZipPart): Buffer {
  return part.deflated ? deflateRawSync(dataOf(part)) : dataOf(part);
}

/** Version, flags, method, time, date, checksum, both sizes, length of the name, of extra fields. */
function common(part: ZipPart, extra: number): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(part.zip64 ? 45 : 20, 0);
  fields.writeUInt16LE(part.flags ?? UTF8, 2);
  fields.writeUInt16LE(part.method ?? (part.deflated ? 8 : 0), 4);
  fields.writeUInt32LE(part.crc ?? crc32(dataOf(part)), 10);
  const [small, large] = [packed(part).length, part.bytes ?? dataOf(part).length];
  fields.writeUInt32LE(part.zip64 ? 0xffffffff : small, 14);
  fields.writeUInt32LE(part.zip64 ? 0xffffffff : large, 18);
  fields.writeUInt16LE(nameOf(part).length, 22);
  fields.writeUInt16LE(extra, 24);
  return fields;
}

function localHeader(part: ZipPart): Buffer {
  return Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common(part, 0)]);
}

function centralHeader(part: ZipPart, offset: number): Buffer {
  const extra = part.zip64 ? zip64Extra(part, offset) : Buffer.alloc(0);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(((part.mode ?? 0) << 16) >>> 0, 6);
  rest.writeUInt32LE(part.zip64 ? 0xffffffff : offset, 10);
  const made = Buffer.from([20, 3]);
  const start = Buffer.from('PK\x01\x02', 'latin1');
  return Buffer.concat([start, made, common(part, extra.length), rest, nameOf(part), extra]);
}

function zip64Extra(part: ZipPart, offset: number): Buffer {
  const extra = Buffer.alloc(28);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(24, 2);
  extra.writeBigUInt64LE(BigInt(part.bytes ?? dataOf(part).length), 4);
  extra.writeBigUInt64LE(BigInt(packed(part).length), 12);
  extra.writeBigUInt64LE(BigInt(offset), 20);
  return extra;
}

function zip64End(count: number, bytes: number, start: number): Buffer {
  const end = Buffer.alloc(56 + 20);
  end.write('PK\x06\x06', 'latin1');
  end.writeBigUInt64LE(44n, 4);
  end.writeBigUInt64LE(BigInt(count), 24);
  end.writeBigUInt64LE(BigInt(count), 32);
  end.writeBigUInt64LE(BigInt(bytes), 40);
  end.writeBigUInt64LE(BigInt(start), 48);
  end.write('PK\x06\x07', 56, 'latin1');
  end.writeBigUInt64LE(BigInt(start + bytes), 56 + 8);
  end.writeUInt32LE(1, 56 + 16);
  return end;
}

function endOf(count: number, bytes: number, start: number, { zip64 = false }): Buffer {
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(zip64 ? 0xffff : count, 8);
  end.writeUInt16LE(zip64 ? 0xffff : count, 10);
  end.writeUInt32LE(zip64 ? 0xffffffff : bytes, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : start, 16);
  return end;
}

export interface TarPart {
  name: string;
  data?: Buffer | string;
  /** '0' where left out. */
  type?: string;
  /** What the header says where it is not the truth. */
  size?: number;
  /** Size as GNU writes large ones. */
  binarySize?: boolean;
}

export const END_MARK = Buffer.alloc(1024);

/** Entries of a tar archive without its end mark. */
export function tar(parts: TarPart[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const data = Buffer.from(part.data ?? '');
      const padding = Buffer.alloc((512 - (data.length % 512)) % 512);
      return [tarHeader(part, part.size ?? data.length), data, padding];
    }),
  );
}

function tarHeader({ name, type = '0', binarySize }: TarPart, size: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  if (binarySize) {
    header.fill(0, 124, 136);
    header[124] = 0x80;
    header.writeUIntBE(size, 130, 6);
  }
  header.write(type, 156);
  header.write('ustar\x0000', 257, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
