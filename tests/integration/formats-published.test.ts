/** Data sets in the layouts that their publishers gave them, made small. */
import { describe, expect, test } from 'vitest';
import { put, temporaryFolder } from './datasets-folder.ts';
import { byPath, offersAt, putPictures, readAt, reasons } from './formats-support.ts';

describe('DomainNet', () => {
  /** Class 1 sorts before class 0: only the index gives the order. */
  async function domainNet(base = '', lists = ''): Promise<string> {
    const root = temporaryFolder();
    await putPictures(
      root,
      ['clipart', 'sketch'].flatMap((domain) =>
        ['t-shirt/1 a.jpg', 't-shirt/2.jpg', 'ant/3.jpg', 'The_Eiffel_Tower/4.jpg'].map(
          (path) => `${base}${domain}/${path}`,
        ),
      ),
    );
    for (const domain of ['clipart', 'sketch']) {
      put(
        root,
        `${lists}${domain}_train.txt`,
        `${domain}/t-shirt/1 a.jpg 0\n${domain}/ant/3.jpg 1\n`,
      );
      put(
        root,
        `${lists}${domain}_test.txt`,
        `${domain}/t-shirt/2.jpg 0\r\n${domain}/gone/9.jpg 2\r\n`,
      );
    }
    return root;
  }

  test.each([
    ['lists beside the domains', '', ''],
    ['lists in txt/', '', 'txt/'],
    ['cleaned pictures under groundtruth/', 'groundtruth/', ''],
  ])('%s', async (_, base, lists) => {
    const root = await domainNet(base, lists);
    expect((await offersAt(root))[0]!.reading).toEqual({ format: 'domainnet' });
    const read = await readAt(root);
    expect(read.task).toBe('single-label');
    expect(read.classNames).toEqual(['t-shirt', 'ant']);
    expect(read.candidates).toHaveLength(6);
    expect(byPath(read)[`${base}sketch/t-shirt/1 a.jpg`]).toMatchObject({
      label: 't-shirt',
      domain: 'sketch',
      split: 'train',
    });
    expect(byPath(read)[`${base}clipart/t-shirt/2.jpg`]!.split).toBe('test');
    expect(reasons(read)).toEqual({
      'clipart/gone/9.jpg': `no such file (${lists}clipart_test.txt, line 2)`,
      'sketch/gone/9.jpg': `no such file (${lists}sketch_test.txt, line 2)`,
      [`${base}clipart/The_Eiffel_Tower/4.jpg`]: 'in no list',
      [`${base}sketch/The_Eiffel_Tower/4.jpg`]: 'in no list',
    });
  });

  test('lists of a domain that was not unpacked are one line of the report', async () => {
    const root = await domainNet();
    put(root, 'real_test.txt', 'real/ant/1.jpg 1\n');
    put(root, 'real.zip', 'PK');
    expect(reasons(await readAt(root))['real_test.txt']).toBe(
      'lists 1 image, but there is no folder "real"; unpack real.zip beside it',
    );
    put(root, 'infograph_train.txt', 'infograph/ant/1.jpg 1\ninfograph/ant/2.jpg 1\n');
    expect(reasons(await readAt(root))['infograph_train.txt']).toBe(
      'lists 2 images, but there is no folder "infograph"',
    );
  });

  test('what is only called like a list is passed over with a warning', async () => {
    const root = await domainNet();
    put(root, 'notes_train.txt', 'Remember to train longer.\n');
    expect((await offersAt(root))[0]!.reading).toEqual({ format: 'domainnet' });
    const read = await readAt(root);
    expect(read.candidates).toHaveLength(6);
    const reason = 'no list of images, and there is no folder "notes"';
    expect(reasons(read)['notes_train.txt']).toBe(reason);
    expect(read.warnings).toEqual([
      `notes_train.txt is called like a list and was not read: ${reason}`,
    ]);
  });

  test.each([
    [
      'another name for an index',
      'sketch/ant/3.jpg 0\n',
      /line 1: index 0 is the class "ant" here and "t-shirt" before/,
    ],
    [
      'another index for a name',
      'sketch/t-shirt/2.jpg 0\nsketch/ant/3.jpg 7\n',
      /line 2: class "ant" has the index 7 here and 1 before/,
    ],
    ['no index', 'sketch/t-shirt/1.jpg\n', /line 1: not a path, a blank and the index/],
  ])('%s is refused with file and line', async (_, text, message) => {
    const root = await domainNet();
    put(root, 'sketch_train.txt', text);
    await expect(readAt(root, { format: 'domainnet' })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(message),
      detail: { file: 'sketch_train.txt' },
    });
  });
});

describe('COCO', () => {
  const categories = [
    { id: 18, name: 'dog', supercategory: 'animal' },
    { id: 1, name: 'person', supercategory: 'person' },
  ];
  const image = (id: number) => ({
    id,
    file_name: `${String(id).padStart(12, '0')}.jpg`,
    width: 24,
    height: 20,
    license: 4,
    flickr_url: `http://farm.example/${id}.jpg`,
  });
  const box = (id: number, image_id: number, category_id: number) => {
    return {
      id,
      image_id,
      category_id,
      bbox: [1, 1, 5, 5],
      area: 25,
      iscrowd: 0,
      // Outlines as polygons and as run lengths, whose text may hold anything.
      segmentation: id % 2 ? [[1.5, 2, 3, 4]] : { size: [24, 20], counts: 'a]}\\"[{0' },
    };
  };
  const file = (images: number[], annotations: object[]) =>
    JSON.stringify({
      info: {},
      licenses: [{ id: 4, name: 'Attribution License', url: 'http://example.org' }],
      images: images.map(image),
      annotations,
      categories,
    });

  test('instances of train2017 and val2017: several categories make findings', async () => {
    const root = temporaryFolder();
    await putPictures(root, [
      'train2017/000000000009.jpg',
      'train2017/000000000025.jpg',
      'val2017/000000000139.jpg',
    ]);
    put(
      root,
      'annotations/instances_train2017.json',
      file([9, 25, 30], [box(1, 9, 18), box(2, 9, 1), box(3, 9, 1), box(4, 30, 1)]),
    );
    put(root, 'annotations/instances_val2017.json', file([139], [box(5, 139, 1)]));
    const read = await readAt(root);
    expect(read).toMatchObject({ task: 'multi-label', classNames: ['person', 'dog'] });
    const images = byPath(read);
    expect(images['train2017/000000000009.jpg']).toMatchObject({
      split: 'train',
      licence: 'Attribution License',
      source: 'http://farm.example/9.jpg',
    });
    const values = Object.values(images).map(({ findings }) => Object.fromEntries(findings!));
    expect(values).toEqual([
      { person: 1, dog: 1 },
      { person: 0, dog: 0 },
      { person: 1, dog: 0 },
    ]);
    expect(images['val2017/000000000139.jpg']!.split).toBe('validation');
    expect(reasons(read)).toEqual({
      '000000000030.jpg': 'no such file (annotations/instances_train2017.json, image 30)',
    });
  });

  test('captions and keypoints beside the instances are passed over, also where they are large', async () => {
    const root = temporaryFolder();
    await putPictures(root, ['train2017/000000000009.jpg']);
    const annotations = [box(1, 9, 18)];
    const captions = { images: [image(9)], annotations: [{ image_id: 9, caption: 'a dog' }] };
    put(root, 'annotations/instances_train2017.json', file([9], annotations));
    put(root, 'annotations/person_keypoints_train2017.json', file([9], [box(1, 9, 1)]));
    put(
      root,
      'annotations/captions_train2017.json',
      JSON.stringify(captions) + ' '.repeat(9 * 2 ** 20),
    );
    const [offer] = await offersAt(root);
    const files = ['annotations/instances_train2017.json'];
    expect(offer!.reading).toEqual({ format: 'coco', files });
    const read = await readAt(root);
    expect(read.candidates.map(({ label }) => label)).toEqual(['dog']);
    expect(Object.keys(reasons(read))).toEqual([
      'annotations/captions_train2017.json',
      'annotations/person_keypoints_train2017.json',
    ]);
  });

  test('one category an image at most: classes; without an annotation skipped; images/ beside', async () => {
    const root = temporaryFolder();
    await putPictures(root, [
      'images/000000000001.jpg',
      'images/000000000002.jpg',
      'images/000000000003.jpg',
      'images/other.jpg',
    ]);
    put(
      root,
      'labels.json',
      file([1, 2, 3], [box(1, 1, 18), box(2, 1, 18), { image_id: 2, category_id: 1 }]),
    );
    const read = await readAt(root);
    expect(read).toMatchObject({ task: 'single-label', classNames: ['person', 'dog'] });
    expect(read.candidates.map(({ label }) => label)).toEqual(['dog', 'person']);
    expect(reasons(read)).toEqual({
      'images/000000000003.jpg': 'no annotation (labels.json)',
      'images/other.jpg': 'not among the images of labels.json',
    });
  });

  test.each([
    ['no JSON', '{"images": [', /labels\.json: not JSON/],
    [
      'another shape',
      '{"images": [{"id": 1}], "categories": [], "annotations": []}',
      /labels\.json: images\.0\.file_name/,
    ],
    [
      'an unknown category',
      file([1], [box(1, 1, 99)]),
      /labels\.json: an annotation of category 99/,
    ],
  ])('%s is refused with the file', async (_, text, message) => {
    const root = temporaryFolder();
    await putPictures(root, ['000000000001.jpg']);
    put(root, 'labels.json', text);
    await expect(readAt(root, { format: 'coco', files: ['labels.json'] })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(message),
      detail: { file: 'labels.json' },
    });
  });
});
