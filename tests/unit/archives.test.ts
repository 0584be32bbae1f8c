import { createHash } from 'node:crypto';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openArchive, readEntry } from '../../engine/archives/archive.ts';
import { END_MARK, tar, useFolder, zip } from './archives-support.ts';

/** Files that tests/reference/make_archives.py wrote with Python. */
const FILES = join(import.meta.dirname, '../reference/archives');
const expected = (
  JSON.parse(readFileSync(join(FILES, 'expected.json'), 'utf8')) as {
    files: Record<string, string>;
  }
).files;
const LIMIT = 1 << 20;
const file = useFolder();

async function names(path: string): Promise<string[]> {
  return [...(await openArchive(path)).entries.keys()];
}

async function reasons(path: string): Promise<Record<string, string>> {
  const { skipped } = await openArchive(path);
  return Object.fromEntries(skipped.map(({ path: name, reason }) => [name, reason]));
}

async function text(path: string, name: string): Promise<string> {
  return (await readEntry(path, name, LIMIT)).toString();
}

describe('archives that Python wrote', () => {
  test.each(['python.zip', 'pax.tar', 'gnu.tar'])('%s: every entry, byte by byte', async (name) => {
    const path = join(FILES, name);
    expect(new Set(await names(path))).toEqual(new Set(Object.keys(expected)));
    for (const [entry, digest] of Object.entries(expected)) {
      const bytes = await readEntry(path, entry, LIMIT);
      expect(createHash('sha256').update(bytes).digest('hex'), entry).toBe(digest);
    }
  });

  test.each(['pax.tar', 'gnu.tar'])('%s: its links are not followed', async (name) => {
    expect(await reasons(join(FILES, name))).toEqual({
      'cat/symbolic.bin': 'symbolic link (links in archives are not followed)',
      'cat/hard.bin': 'hard link (links in archives are not followed)',
    });
  });
});

const HOSTILE: [name: string, reason: RegExp][] = [
  ['/etc/passwd', /absolute path/],
  ['../outside.png', /leads out of the archive/],
  ['a/../../outside.png', /leads out of the archive/],
  ['C:/windows.png', /drive letter/],
  ['a\\b.png', /backslash/],
  ['a//b.png', /empty part/],
];

describe('hostile names are refused one by one, the rest is read', () => {
  test.each(HOSTILE)('%s in a zip and in a tar', async (name, reason) => {
    const parts = [
      { name, data: 'evil' },
      { name: 'good.txt', data: 'good' },
    ];
    for (const path of [
      file('names.zip', zip(parts)),
      file('names.tar', Buffer.concat([tar(parts), END_MARK])),
    ]) {
      expect(await names(path)).toEqual(['good.txt']);
      expect((await reasons(path))[name]).toMatch(reason);
      expect(await text(path, 'good.txt')).toBe('good');
      await expect(readEntry(path, name, LIMIT)).rejects.toMatchObject({ code: 'not-found' });
    }
  });

  test('a zero byte, bytes that are no UTF-8', async () => {
    const bytes = zip([{ name: 'a\0.png' }, { name: Buffer.from([0x61, 0xff, 0xfe]) }]);
    const found = Object.values(await reasons(file('bytes.zip', bytes)));
    expect(found).toEqual(['its name holds a zero byte', 'its name is not valid UTF-8']);
  });

  test('names that are one on some file system: the first is taken', async () => {
    const same = ['a.png', 'A.PNG', 'é.png', 'e\u0301.png', 'a.png'];
    const parts = same.map((name, i) => ({ name, data: String(i) }));
    for (const path of [
      file('same.zip', zip(parts)),
      file('same.tar', Buffer.concat([tar(parts), END_MARK])),
    ]) {
      expect(await names(path)).toEqual(['a.png', 'é.png']);
      const { skipped } = await openArchive(path);
      expect(skipped.map(({ path: name }) => name)).toEqual(['A.PNG', 'e\u0301.png', 'a.png']);
      expect(await text(path, 'a.png')).toBe('0');
    }
  });

  test('names of old programs: UTF-8 that is not declared, and code page 437', async () => {
    const parts = [
      { name: 'dög.png', flags: 0 },
      { name: Buffer.from([0x64, 0x94, 0x67]), flags: 0 },
    ];
    expect(await names(file('old.zip', zip(parts)))).toEqual(['dög.png', 'dög']);
  });

  test('links, devices, sparse files and encrypted entries', async () => {
    const zipped = [
      { name: 'link', data: '/etc/passwd', mode: 0o120777 },
      { name: 'pipe', mode: 0o010644 },
      { name: 'secret', data: 'x', flags: 0x801 },
      { name: 'exotic', data: 'x', method: 93 },
      { name: 'plain', data: 'x', mode: 0o100644 },
    ];
    expect(await reasons(file('kinds.zip', zip(zipped)))).toEqual({
      link: 'symbolic link (links in archives are not followed)',
      pipe: 'not a regular file',
      secret: 'it is encrypted',
      exotic: 'it is compressed by method 93, which is not read',
    });
    const types = ['1', '2', '3', '6', 'S', 'Z'].map((type) => ({ name: `type${type}`, type }));
    const path = file('kinds.tar', Buffer.concat([tar([...types, { name: 'plain' }]), END_MARK]));
    expect(await names(path)).toEqual(['plain']);
    expect(Object.keys(await reasons(path))).toHaveLength(types.length);
  });
});

describe('bombs', () => {
  test('an entry that claims more than deflate can pack', async () => {
    const path = file(
      'claim.zip',
      zip([{ name: 'a', data: 'x'.repeat(50), deflated: true, bytes: 1e9 }]),
    );
    expect((await reasons(path)).a).toMatch(/claims to unpack from \d+ to 1000000000 bytes/);
  });

  test('an entry that unpacks to more than it claims is stopped there', async () => {
    const data = Buffer.alloc(1 << 22);
    const path = file('more.zip', zip([{ name: 'a', data, deflated: true, bytes: 1000 }]));
    await expect(readEntry(path, 'a', LIMIT)).rejects.toThrow('does not unpack to 1000 bytes');
  });

  test('an entry over the limit is refused before it is read', async () => {
    const path = file(
      'large.zip',
      zip([{ name: 'a', data: Buffer.alloc(4 << 20), deflated: true }]),
    );
    await expect(readEntry(path, 'a', LIMIT)).rejects.toThrow('4 MB is over the limit of 1 MB');
  });

  test('many entries over the same bytes', async () => {
    const kernel = { name: 'k', data: Buffer.alloc(1 << 20), deflated: true };
    const others = Array.from({ length: 99 }, (_, i) => ({
      ...kernel,
      name: `k${i}`,
      contentsOf: 0,
    }));
    const path = file('overlap.zip', zip([kernel, ...others]));
    await expect(openArchive(path)).rejects.toThrow('its entries overlap');
  });
});

describe('what is damaged is said, and where', () => {
  test('a zip whose bytes changed, whose end is missing, whose directory lies', async () => {
    const good = zip([{ name: 'a.txt', data: 'hello hello', crc: 7 }]);
    await expect(text(file('crc.zip', good), 'a.txt')).rejects.toThrow(
      /crc\.zip\/a\.txt: damaged in the archive: its checksum/,
    );
    await expect(openArchive(file('cut.zip', good.subarray(0, 60)))).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('cut.zip: not a usable zip archive') as string,
    });
    const two = zip([{ name: 'a.txt' }, { name: 'b.txt' }]);
    two.write('XX', 30 + 'a.txt'.length);
    await expect(text(file('header.zip', two), 'b.txt')).rejects.toThrow('no header where');
  });

  test('a tar that is cut in an entry, in a header, before its end mark', async () => {
    const good = tar([
      { name: 'a', data: 'x'.repeat(600) },
      { name: 'b', data: 'y' },
    ]);
    await expect(openArchive(file('entry.tar', good.subarray(0, 900)))).rejects.toThrow(
      /truncated: “a” should have 600 bytes at byte 512, the archive ends at 900/,
    );
    await expect(openArchive(file('header.tar', good.subarray(0, 1600)))).rejects.toThrow(
      'truncated',
    );
    const { entries, skipped } = await openArchive(file('mark.tar', good));
    expect([...entries.keys()]).toEqual(['a', 'b']);
    expect(skipped).toEqual([
      { path: '', reason: expect.stringContaining('no end mark') as string },
    ]);
  });

  test('a tar with a flipped bit in a header', async () => {
    const bytes = Buffer.concat([tar([{ name: 'a', data: 'x' }, { name: 'b' }]), END_MARK]);
    bytes[1024 + 3]! ^= 1;
    await expect(openArchive(file('flip.tar', bytes))).rejects.toThrow(
      'no sound header at byte 1024',
    );
  });

  test('compressed archives and other files, with the way out', async () => {
    const gz = file('a.tar', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0]));
    await expect(openArchive(gz)).rejects.toMatchObject({
      code: 'unsupported',
      detail: { wayOut: expect.stringContaining('unpack it') as string },
    });
    await expect(openArchive(file('not.zip', 'hello'))).rejects.toThrow('neither a zip nor a tar');
    await expect(openArchive(file('empty.zip', ''))).rejects.toThrow('empty (0 bytes)');
    await expect(openArchive('/nowhere/a.zip')).rejects.toMatchObject({ code: 'not-found' });
  });
});

test('zip64: sizes, offsets and counts in the wide fields', async () => {
  const parts = [
    { name: 'stored', data: 'one', zip64: true },
    { name: 'packed', data: 'two'.repeat(100), deflated: true, zip64: true },
  ];
  const path = file('wide.zip', zip(parts, { zip64: true }));
  expect(await text(path, 'stored')).toBe('one');
  expect(await text(path, 'packed')).toBe('two'.repeat(100));
});

test('tar: sizes as GNU writes large ones', async () => {
  const path = file(
    'gnu-size.tar',
    Buffer.concat([tar([{ name: 'a', data: 'abc', binarySize: true }]), END_MARK]),
  );
  expect(await text(path, 'a')).toBe('abc');
});

test('an archive inside an archive is a file like any other', async () => {
  const inner = zip([{ name: 'image.png', data: 'x' }]);
  const path = file('outer.zip', zip([{ name: 'inner.zip', data: inner }]));
  expect(await names(path)).toEqual(['inner.zip']);
});

test('an archive that was written anew is listed anew', async () => {
  const path = file('changing.zip', zip([{ name: 'a', data: 'first' }]));
  expect(await text(path, 'a')).toBe('first');
  writeFileSync(path, zip([{ name: 'b', data: 'second, longer' }]));
  expect(await text(path, 'b')).toBe('second, longer');
  truncateSync(path, statSync(path).size - 5);
  await expect(openArchive(path)).rejects.toMatchObject({ code: 'bad-input' });
});
