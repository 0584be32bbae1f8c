import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readContent } from '../../engine/transforms/content.ts';
import { openTree, placeIn } from '../../host/datasets/tree.ts';
import { END_MARK, tar, useFolder, zip } from './archives-support.ts';

const { signal } = new AbortController();
const file = useFolder();
const FILES = ['cat/1.png', 'cat/2.png', 'dog/10.png', 'metadata.csv'];
const PASSED = ['.git/config', '.hidden.png', '__MACOSX/cat/._1.png', 'cat/.DS_Store'];
const SKIPPED = [
  { path: '.git', reason: 'hidden folder' },
  { path: '.hidden.png', reason: 'hidden file' },
  { path: '__MACOSX', reason: 'left by a zip program of macOS' },
];

const parts = () => [...FILES, ...PASSED].map((name) => ({ name, data: `in ${name}` }));

function folder(name: string): string {
  const root = join(dirname(file('beside', '')), name);
  for (const { name: path, data } of parts()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), data);
  }
  return root;
}

describe('what lies at a path', () => {
  const sources = {
    folder: () => folder('plain'),
    zip: () => file('all.zip', zip(parts())),
    tar: () => file('all.tar', Buffer.concat([tar(parts()), END_MARK])),
  };
  test.each(Object.entries(sources))('a %s: the same files, by path', async (kind, make) => {
    const path = make();
    const tree = await openTree(path, { signal });
    expect(tree.files.map((each) => each.path)).toEqual(FILES);
    expect(tree.skipped).toEqual(SKIPPED);
    expect([tree.single === null, tree.root]).toEqual(
      kind === 'folder' ? [true, path] : [false, dirname(path)],
    );
    for (const each of tree.files) {
      expect(each.bytes).toBe(`in ${each.path}`.length);
      expect((await tree.read(each)).toString()).toBe(`in ${each.path}`);
      expect(tree.find(each.path)).toBe(each);
      const content = await readContent(placeIn(tree.root, each, null));
      expect(content).toMatchObject({ kind: 'file', bytes: Buffer.from(`in ${each.path}`) });
    }
    expect(tree.find('cat/3.png')).toBeNull();
    await expect(tree.read(tree.files[0]!, 3)).rejects.toMatchObject({ code: 'bad-input' });
  });

  test('a single file is a tree of its own, in its folder', async () => {
    const path = file('labels.csv', 'path,label\n');
    const tree = await openTree(path, { signal });
    expect([tree.single, tree.root]).toEqual(['labels.csv', dirname(path)]);
    expect(tree.files.map((each) => [each.path, each.entry])).toEqual([['labels.csv', null]]);
  });

  test('links: to files inside they are followed, to folders and outside never', async () => {
    const root = folder('links');
    symlinkSync('cat/1.png', join(root, 'inside.png'));
    symlinkSync('/etc/passwd', join(root, 'outside.png'));
    symlinkSync('cat', join(root, 'folder'));
    symlinkSync('.', join(root, 'loop'));
    const tree = await openTree(root, { signal });
    expect(tree.files.map((each) => each.path)).toEqual(
      [...FILES, 'inside.png'].sort((a, b) => (a < b ? -1 : 1)),
    );
    expect(tree.skipped.map((each) => each.path)).toEqual(
      expect.arrayContaining(['outside.png', 'folder', 'loop']),
    );
  });

  test('pipes are passed over', async () => {
    const root = folder('pipes');
    execFileSync('mkfifo', [join(root, 'pipe.png')]);
    const { skipped } = await openTree(root, { signal });
    expect(skipped).toContainEqual({ path: 'pipe.png', reason: 'not a regular file' });
  });

  test('listing ends after as many files as were asked for', async () => {
    const root = folder('many');
    expect((await openTree(root, { signal, most: 1 })).truncated).toBe(true);
    const archive = await openTree(file('many.zip', zip(parts())), { signal, most: 2 });
    expect([archive.files.length, archive.truncated]).toEqual([2, true]);
    expect((await openTree(root, { signal, most: 100 })).truncated).toBe(false);
  });
});

describe('what cannot be listed', () => {
  test.each(['a.tar.gz', 'a.tgz', 'a.tar.xz', 'a.7z', 'a.rar'])(
    '%s, with the way out',
    async (name) => {
      await expect(openTree(file(name, 'x'), { signal })).rejects.toMatchObject({
        code: 'unsupported',
        detail: { wayOut: expect.stringContaining('unpack it') as string },
      });
    },
  );

  test('nothing there, no archive, an aborted walk', async () => {
    await expect(openTree('/nowhere/at/all', { signal })).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(openTree(file('no.zip', 'text'), { signal })).rejects.toThrow('neither a zip nor');
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(openTree(folder('aborted'), { signal: aborted })).rejects.toThrow('enough');
  });
});
