import { describe, expect, test } from 'vitest';
import { scanSource } from '../../host/datasets/scan.ts';
import { picture, pictures, put, temporaryFolder } from './datasets-folder.ts';

describe('metadata.csv', () => {
  test('its columns are attached by path, quoted cells and byte-order mark included', async () => {
    const root = temporaryFolder();
    await pictures(root, [''], ['a', 'b'], 2);
    put(
      root,
      'metadata.csv',
      '\uFEFFfile_name,group,licence,attribution,source\r\n' +
        'a/0.png,p1,CC0-1.0,"Doe, Jane ""JD""",https://example.org/1\r\n' +
        './a/1.png,p1,CC0-1.0,,\r\n' +
        'b/0.png,p2,MIT,,\r\n' +
        'gone.png,p3,MIT,,\r\n',
    );
    const { images, report } = await scanSource(null, root);
    expect(images[0]).toMatchObject({
      path: 'a/0.png',
      group: 'p1',
      licence: 'CC0-1.0',
      attribution: 'Doe, Jane "JD"',
      source: 'https://example.org/1',
    });
    expect(images[1]).toMatchObject({ group: 'p1', attribution: null, source: null });
    expect(images[3]!.group).toBe(images[3]!.sha256);
    expect(report.groupedBy).toBe('group column of metadata.csv');
    expect(report.groups).toBe(3);
    expect(report.licences).toEqual([
      { licence: 'CC0-1.0', images: 2 },
      { licence: 'MIT', images: 1 },
      { licence: 'not stated', images: 1 },
    ]);
    const text = report.warnings.join('\n');
    expect(text).toContain('1 row of metadata names no file: gone.png');
    expect(text).toContain('1 image without a group');
    expect(text).toContain('b/1.png');
  });

  test('rows end with any line end, also where they are mixed', async () => {
    const root = temporaryFolder();
    await pictures(root, [''], ['a', 'b'], 2);
    put(
      root,
      'metadata.csv',
      'file_name,group,licence\na/0.png,p1,MIT\r\na/1.png,p2,"two\r\nlines"\rb/0.png,p3,MIT\nb/1.png,p4,\r\n',
    );
    const { images, report } = await scanSource(null, root);
    expect(images.map(({ group }) => group)).toEqual(['p1', 'p2', 'p3', 'p4']);
    expect(images.map(({ licence }) => licence)).toEqual(['MIT', 'two\r\nlines', 'MIT', null]);
    expect(report.warnings.join()).not.toContain('no file');
    put(root, 'metadata.csv', 'file_name,group\r\na/0.png,p1\na/0.png,p2\r\n');
    await expect(scanSource(null, root)).rejects.toMatchObject({
      detail: { line: 3, value: 'a/0.png' },
    });
  });

  test('without a group column images are grouped by identical content', async () => {
    const root = temporaryFolder();
    const same = await picture(1);
    put(root, 'a/1.png', same);
    put(root, 'a/2.png', same);
    put(root, 'b/3.png', await picture(2));
    put(root, 'metadata.csv', 'file_name,license\na/1.png,CC0\n');
    const { images, report } = await scanSource(null, root);
    expect(report).toMatchObject({ groupedBy: 'identical content', groups: 2 });
    expect(report.licences).toContainEqual({ licence: 'CC0', images: 1 });
    expect(images[0]!.group).toBe(images[1]!.group);
    expect(images[2]!.group).not.toBe(images[0]!.group);
  });

  test('groups that hold identical files become one, over any number of steps', async () => {
    const root = temporaryFolder();
    const [x, y] = [await picture(1), await picture(2)];
    put(root, 'a/1.png', x);
    put(root, 'a/2.png', x);
    put(root, 'a/3.png', y);
    put(root, 'b/4.png', y);
    put(root, 'b/5.png', await picture(3));
    put(
      root,
      'metadata.csv',
      'file_name,group\na/1.png,p3\na/2.png,p2\na/3.png,p2\nb/4.png,p1\nb/5.png,p9\n',
    );
    const { images, report } = await scanSource(null, root);
    expect(images.map(({ group }) => group)).toEqual(['p1', 'p1', 'p1', 'p1', 'p9']);
    expect(report.groups).toBe(2);
    expect(report.warnings.join()).toContain('2 groups joined to others that hold identical files');
    expect(report.conflicts).toEqual([
      { paths: ['a/3.png', 'b/4.png'], classes: ['a', 'b'], files: 2 },
    ]);
  });

  test('a name is found in either Unicode form', async () => {
    const root = temporaryFolder();
    put(root, `a/${'é'.normalize('NFD')}.png`, await picture(1));
    put(root, 'metadata.csv', `file_name,group\na/${'é'.normalize('NFC')}.png,p1\n`);
    expect((await scanSource(null, root)).images[0]!.group).toBe('p1');
  });

  test.each([
    ['a ragged row', 'file_name,group\na/0.png\n', /metadata\.csv, line 2: 1 cell instead of 2/],
    ['an unclosed quote', 'file_name,group\n"a/0.png,1\n', /metadata\.csv is not a proper CSV/],
    ['two rows', 'file_name,group\na/0.png,1\na/0.png,2\n', /line 3: a second row for a\/0\.png/],
  ])('%s is refused with file and place', async (_, csv, message) => {
    const root = temporaryFolder();
    await pictures(root, [''], ['a'], 1);
    put(root, 'metadata.csv', csv);
    await expect(scanSource(null, root)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(message),
    });
  });

  test('one without file_name is of another kind: told, not read', async () => {
    const root = temporaryFolder();
    await pictures(root, [''], ['a'], 1);
    put(root, 'metadata.csv', 'name,group\nfirst,1\n');
    const { images, report } = await scanSource(null, root);
    expect(images).toHaveLength(1);
    expect(report.groupedBy).toBe('identical content');
    expect(report.warnings.join()).toMatch(/metadata\.csv has no column file_name/);
  });

  test('one that lies deeper is named, not read', async () => {
    const root = temporaryFolder();
    await pictures(root, [''], ['a'], 1);
    put(root, 'a/metadata.csv', 'file_name,group\n0.png,x\n');
    expect((await scanSource(null, root)).report.skipped).toEqual([
      {
        path: 'a/metadata.csv',
        reason: 'metadata is read at the root of the folder and in the folders of splits only',
      },
    ]);
  });
});
