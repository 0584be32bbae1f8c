import type { ArchiveEntry, ArchiveIndex } from './index.ts';
import { MAX_ENTRIES } from './index.ts';
import type { OpenFile } from './file.ts';
import { damaged, readAhead } from './file.ts';
import { entryName, NamesSeen } from './names.ts';

const BLOCK = 512;
const WINDOW = 1 << 16;
/** Long names and pax records are short; a longer one is no name. */
const MAX_RECORD = 1 << 20;

const NO_END_MARK = 'no end mark: the archive may be cut off, and entries may be missing';
const NOT_FILES: Record<string, string> = {
  '1': 'hard link (links in archives are not followed)',
  '2': 'symbolic link (links in archives are not followed)',
  '3': 'a device, not a file',
  '4': 'a device, not a file',
  '6': 'a pipe, not a file',
  S: 'a sparse file, which is not read',
};

interface Header {
  name: string;
  size: number;
  /** '0' regular, '5' folder, 'x' and 'g' pax records, 'L' long name ... */
  type: string;
}

/** What pax or GNU records say of the entry that follows them. */
interface Told {
  path?: string;
  size?: number;
  sparse?: boolean;
}

/** Whether a block is a tar header: its checksum holds. */
export function isTarHeader(block: Buffer): boolean {
  if (block.length < BLOCK || block[0] === 0) return false;
  const told = parseOctal(block, 148, 8);
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= 148 && i < 156 ? 0x20 : block[i]!;
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256; // as some old programs summed
  }
  return told === unsigned || told === signed;
}

/**
 * Lists a tar archive (ustar, pax, GNU, v7) by its headers; no contents are read.
 * @throws bad-input where it is cut off or damaged, naming the byte and the entry
 */
export async function indexTar(archive: OpenFile): Promise<ArchiveIndex> {
  const file = readAhead(archive, WINDOW);
  const entries = new Map<string, ArchiveEntry>();
  const skipped: ArchiveIndex['skipped'] = [];
  const seen = new NamesSeen();
  let told: Told = {};
  let at = 0;
  for (;;) {
    const header = await readHeader(file, at);
    if (header === 'end') break;
    if (header === 'no end mark') {
      skipped.push({ path: '', reason: NO_END_MARK });
      break;
    }
    const start = at + BLOCK;
    const size = told.size ?? header.size;
    at = start + Math.ceil(size / BLOCK) * BLOCK;
    if (start + size > file.size) throw cutOff(file, told.path ?? header.name, start, size);
    if ('xgLK'.includes(header.type)) {
      told = { ...told, ...(await readRecord(file, header, start)) };
      continue;
    }
    const { name, refused } = judge(header, told, seen);
    told = {};
    if (refused === 'folder') continue;
    if (refused !== null) skipped.push({ path: name, reason: refused });
    else entries.set(name, { bytes: size, start, packed: size, deflated: false, crc: null });
    checkCount(file, entries.size + skipped.length);
  }
  return { kind: 'tar', entries, skipped };
}

function checkCount(file: OpenFile, entries: number): void {
  if (entries <= MAX_ENTRIES) return;
  throw damaged(file.path, `it lists over ${MAX_ENTRIES} entries`, 'make smaller archives');
}

/** The entry's name, and why it is not taken; null: it is. */
function judge(
  header: Header,
  told: Told,
  seen: NamesSeen,
): { name: string; refused: string | null } {
  const raw = told.path ?? header.name;
  if (header.type === '5' || raw.endsWith('/')) return { name: raw, refused: 'folder' };
  const checked = entryName(raw);
  if ('refused' in checked) return checked;
  const { name } = checked;
  if (told.sparse === true) return { name, refused: NOT_FILES.S! };
  if (!'07'.includes(header.type)) {
    return { name, refused: NOT_FILES[header.type] ?? `an entry of unknown type ${header.type}` };
  }
  return { name, refused: seen.add(name) };
}

async function readHeader(file: OpenFile, at: number): Promise<Header | 'end' | 'no end mark'> {
  const block = await file.read(at, BLOCK);
  if (block.length === 0) return 'no end mark';
  if (block.length < BLOCK) throw cutOff(file, 'a header', at, BLOCK);
  if (block.every((byte) => byte === 0)) return 'end';
  if (!isTarHeader(block)) {
    throw damaged(file.path, `damaged tar archive: no sound header at byte ${at}`);
  }
  const name = text(block, 0, 100);
  const prefix = text(block, 257, 6) === 'ustar' ? text(block, 345, 155) : '';
  const size = parseSize(block);
  if (!Number.isSafeInteger(size)) {
    throw damaged(file.path, `damaged tar archive: “${name}” at byte ${at} has no sound size`);
  }
  const type = block[156] === 0 ? '0' : String.fromCharCode(block[156]!);
  return { name: prefix === '' ? name : `${prefix}/${name}`, size: sizeOf(type, size), type };
}

/** Links and devices have no contents, whatever size they name. */
function sizeOf(type: string, size: number): number {
  return '123456'.includes(type) ? 0 : size;
}

async function readRecord(file: OpenFile, { type, size }: Header, start: number): Promise<Told> {
  if (size > MAX_RECORD) {
    throw damaged(file.path, `damaged tar archive: a record of ${size} bytes at byte ${start}`);
  }
  const bytes = await file.read(start, size);
  if (type === 'L') return { path: text(bytes, 0, size) };
  return type === 'x' ? parsePax(file, bytes, start) : {};
}

/** Records of `<length> <key>=<value>\n`, the length counted over all of it. */
function parsePax(file: OpenFile, bytes: Buffer, start: number): Told {
  const told: Told = {};
  for (let at = 0; at < bytes.length;) {
    const blank = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString('latin1', at, Math.max(at, blank)));
    const end = at + length;
    if (blank < 0 || !(length > 0) || end > bytes.length || end - 1 < blank) {
      throw damaged(file.path, `damaged tar archive: no sound pax record at byte ${start + at}`);
    }
    const record = bytes.toString('utf8', blank + 1, end - 1);
    const [key, value] = [record.split('=', 1)[0]!, record.slice(record.indexOf('=') + 1)];
    if (key === 'path') told.path = value;
    if (key === 'size' && /^\d+$/.test(value)) told.size = Number(value);
    if (key.startsWith('GNU.sparse')) told.sparse = true;
    at = end;
  }
  return told;
}

function parseSize(block: Buffer): number {
  // GNU: the first bit set, then a big-endian number in the other bits.
  if ((block[124]! & 0x80) === 0) return parseOctal(block, 124, 12);
  let size = block[124]! & 0x7f;
  for (let i = 125; i < 136; i++) size = size * 256 + block[i]!;
  return size;
}

function parseOctal(block: Buffer, at: number, length: number): number {
  const digits = text(block, at, length).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : NaN;
}

function text(block: Buffer, at: number, length: number): string {
  const end = block.indexOf(0, at);
  return block.toString('utf8', at, end < 0 ? at + length : Math.min(end, at + length));
}

function cutOff(file: OpenFile, name: string, start: number, size: number): Error {
  return damaged(
    file.path,
    `truncated: “${name}” should have ${size} bytes at byte ${start}, the archive ends at ${file.size}`,
  );
}
