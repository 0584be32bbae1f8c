import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildSample, readAbout } from '../../host/samples/build.ts';
import { SAMPLES } from '../../host/samples/catalogue.ts';
import { ensureSample, sampleHandlers } from '../../host/samples/handlers.ts';
import type { FetchPackage } from '../../host/samples/packages.ts';
import { npmPack, readTarball } from '../../host/samples/packages.ts';
import { openWorkbench } from '../../host/workbench.ts';
import { ICON_PACKAGE, emojiPackages, smallPackages } from './samples-packages.ts';

const ICONS = '@iconify/json@2.2.535';
const never = new AbortController().signal;
const quiet = () => undefined;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carryover-samples-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function build(name: string, fetchPackage: FetchPackage, samplesFolder = folder) {
  return buildSample(name, { samplesFolder, signal: never, onProgress: quiet, fetchPackage });
}

const icons = () => smallPackages({ [ICONS]: ICON_PACKAGE });

function filesOf(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

function digest(root: string): string {
  const hash = createHash('sha256');
  for (const file of filesOf(root)) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function metadata(root: string): Record<string, string>[] {
  return parse(readFileSync(join(root, 'metadata.csv')), { columns: true });
}

describe('icon-domains', () => {
  it('puts every distinct icon of a concept under its domain and class', async () => {
    const { folder: root, built } = await build('icon-domains', icons().fetchPackage);
    expect(built).toBe(true);
    expect(filesOf(root)).toEqual([
      'about.json',
      'color/bell/streamline-color_bell-flat.png',
      'duotone/bell/ph_bell-duotone.png',
      'duotone/house/tabler_home-duotone.png',
      'emoji/bell/twemoji_bell.png',
      'emoji/house/twemoji_house.png',
      'freehand/bell/streamline-freehand_alert-alarm-bell.png',
      'line/bell/ph_bell-bold.png',
      'line/bell/ph_bell.png',
      'line/house/tabler_home.png',
      'metadata.csv',
      'pixel/bell/pixelarticons_bell.png',
      'solid/bell/ph_bell-fill.png',
      'solid/house/ph_house-fill.png',
      'solid/house/tabler_home-filled.png',
    ]);
    const image = await sharp(join(root, 'line/bell/ph_bell.png')).metadata();
    expect(image).toMatchObject({ format: 'png', width: 96, height: 96, channels: 3 });
  });

  it('says of every picture where it is from and what it may be used for', async () => {
    const { folder: root } = await build('icon-domains', icons().fetchPackage);
    const rows = metadata(root);
    const pictures = filesOf(root).filter((file) => file.endsWith('.png'));
    expect(rows.map((row) => row['file_name'])).toEqual(pictures);
    expect(rows.find((row) => row['file_name'] === 'emoji/bell/twemoji_bell.png')).toEqual({
      file_name: 'emoji/bell/twemoji_bell.png',
      group: 'twemoji',
      licence: 'CC-BY-4.0',
      attribution: 'twemoji, the set by Maker of "twemoji"',
      source: `${ICONS} twemoji:bell`,
    });
    const streamline = rows.find((row) => row['file_name']?.startsWith('color/'));
    expect(streamline?.['group']).toBe('streamline');
    // A domain that one family draws has its drawings for groups.
    const freehand = rows.find((row) => row['file_name']?.startsWith('freehand/'));
    expect(freehand?.['group']).toBe('streamline-freehand alert-alarm-bell');
    expect(await readAbout(root)).toMatchObject({
      name: 'icon-domains',
      packages: [ICONS],
      images: 13,
      domains: { color: 1, duotone: 2, emoji: 2, freehand: 1, line: 3, pixel: 1, solid: 3 },
      licences: [
        { licence: 'MIT', images: 10 },
        { licence: 'CC-BY-4.0', images: 3 },
      ],
    });
  });

  it('gives the same bytes again', async () => {
    const first = await build('icon-domains', icons().fetchPackage, join(folder, 'a'));
    const second = await build('icon-domains', icons().fetchPackage, join(folder, 'b'));
    expect(digest(second.folder)).toBe(digest(first.folder));
  });

  it('leaves nothing but the set: no package, no workshop', async () => {
    await build('icon-domains', icons().fetchPackage);
    expect(readdirSync(folder)).toEqual(['icon-domains']);
  });
});

describe('emoji-domains', () => {
  it('draws each emoji in each style that has it, grouped by code point', async () => {
    const { fetchPackage, asked } = smallPackages(await emojiPackages());
    const { folder: root } = await build('emoji-domains', fetchPackage);
    expect(asked).toHaveLength(6);
    expect(metadata(root).map((row) => `${row['file_name']} ${row['group']}`)).toEqual(
      [
        'flat/mammal/1f98a.png 1f98a',
        'flat/plant/1f337.png 1f337',
        'glossy/plant/1f337.png 1f337',
        'outline/mammal/1f98a.png 1f98a',
        'outline/plant/1f337.png 1f337',
        'render3d/mammal/1f98a.png 1f98a',
        'shaded/mammal/1f98a.png 1f98a',
        'shaded/plant/1f337.png 1f337',
        'silhouette/mammal/1f98a.png 1f98a',
        'silhouette/plant/1f337.png 1f337',
      ].toSpliced(2, 0, 'glossy/mammal/1f98a.png 1f98a'),
    );
    const image = await sharp(join(root, 'render3d/mammal/1f98a.png')).metadata();
    expect(image).toMatchObject({ format: 'png', width: 128, height: 128, channels: 3 });
  });
});

describe('a set that is there', () => {
  it('is used again without fetching anything', async () => {
    const { fetchPackage, asked } = icons();
    await build('icon-domains', fetchPackage);
    expect((await build('icon-domains', fetchPackage)).built).toBe(false);
    expect(asked).toEqual([ICONS]);
  });

  it.each([
    ['from another recipe', '{"recipe":"0000"}'],
    ['half written', '{"rec'],
  ])('%s is built anew', async (_case, about) => {
    const root = join(folder, 'icon-domains');
    mkdirSync(join(root, 'line/xylophone'), { recursive: true });
    writeFileSync(join(root, 'line/xylophone/old.png'), 'old');
    writeFileSync(join(root, 'about.json'), about);
    expect((await build('icon-domains', icons().fetchPackage)).built).toBe(true);
    expect(existsSync(join(root, 'line/xylophone'))).toBe(false);
    expect((await readAbout(root))?.images).toBe(13);
  });

  it('makes old leftovers of killed builds go, not those of builds under way', async () => {
    for (const name of ['old', 'new']) mkdirSync(join(folder, `.building-icon-domains-${name}`));
    utimesSync(join(folder, '.building-icon-domains-old'), 0, 0);
    await build('icon-domains', icons().fetchPackage);
    expect(readdirSync(folder).sort()).toEqual(['.building-icon-domains-new', 'icon-domains']);
  });
});

describe('a build that does not succeed', () => {
  it.each(['fetching', 'reading', 'drawing'])('is gone when cancelled while %s', async (phase) => {
    const cancel = new AbortController();
    const building = buildSample('icon-domains', {
      samplesFolder: folder,
      signal: cancel.signal,
      onProgress: (progress) => {
        if (progress.phase.startsWith(phase)) cancel.abort();
      },
      fetchPackage: icons().fetchPackage,
    });
    await expect(building).rejects.toMatchObject({ code: 'cancelled' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('keeps the set that was there before', async () => {
    const root = join(folder, 'icon-domains');
    mkdirSync(root);
    writeFileSync(join(root, 'about.json'), '{"recipe":"0000"}');
    const failing = () => Promise.reject(new Error('no such package'));
    await expect(build('icon-domains', failing)).rejects.toThrow('no such package');
    expect(filesOf(root)).toEqual(['about.json']);
  });

  it('names the file of a damaged package and the way out', async () => {
    const damaged: FetchPackage = async (spec, place, signal) => {
      const tarball = await icons().fetchPackage(spec, place, signal);
      const whole = readFileSync(tarball);
      writeFileSync(tarball, whole.subarray(0, whole.length / 2));
      return tarball;
    };
    await expect(build('icon-domains', damaged)).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('package.tgz'),
      detail: { wayOut: expect.stringContaining('try again') },
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('lists the sets there are for an unknown name', async () => {
    await expect(build('icon-domain', icons().fetchPackage)).rejects.toMatchObject({
      code: 'not-found',
      detail: { value: 'icon-domain', wayOut: expect.stringContaining('icon-domains') },
    });
  });
});

describe('npm', () => {
  const path = process.env['PATH'];
  afterEach(() => {
    process.env['PATH'] = path;
    delete process.env['npm_config_registry'];
    delete process.env['npm_config_fetch_retries'];
  });

  it('that is missing is said so', async () => {
    process.env['PATH'] = folder;
    await expect(npmPack(ICONS, folder, never)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining(ICONS),
      detail: { wayOut: expect.stringContaining('install') },
    });
  });

  it('that reaches no registry passes on its reason', async () => {
    // Nothing listens on port 1.
    process.env['npm_config_registry'] = 'http://127.0.0.1:1/';
    process.env['npm_config_fetch_retries'] = '0';
    await expect(npmPack('some-package@1.0.0', folder, never)).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(/some-package@1\.0\.0.*ECONNREFUSED/),
      detail: { wayOut: expect.stringContaining('registry') },
    });
  });

  it('packs a tarball that is read without unpacking', async () => {
    const source = join(folder, 'source');
    mkdirSync(source);
    const pack = { name: 'small', version: '1.0.0' };
    writeFileSync(join(source, 'package.json'), JSON.stringify(pack));
    writeFileSync(join(source, 'a.json'), '[1]');
    writeFileSync(join(source, 'b.json'), '[2]');
    const place = join(folder, 'place');
    mkdirSync(place);
    const tarball = await npmPack(source, place, never);
    const taken: string[] = [];
    await readTarball(tarball, {
      wanted: (file) => file === 'b.json',
      take: (file, content) => taken.push(`${file} ${content.toString()}`),
      signal: never,
    });
    expect(taken).toEqual(['b.json [2]']);
    expect(readdirSync(place)).toEqual(['small-1.0.0.tgz']);
  });
});

describe('in a workbench', () => {
  it('a built set is imported once and listed with its data set', async () => {
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'home'));
    const workbench = openWorkbench({ home: join(folder, 'home'), command: 'test' });
    try {
      const { context, handlers } = workbench;
      await build('icon-domains', icons().fetchPackage, context.home.samples);
      const phases = new Set<string>();
      const work = {
        signal: never,
        onProgress: ({ phase }: { phase: string }) => void phases.add(phase),
      };
      const id = await ensureSample(context, 'icon-domains', work);
      expect(phases.size).toBeGreaterThan(0);
      phases.clear();
      expect(await ensureSample(context, 'icon-domains', work)).toBe(id);
      expect([...phases]).toEqual([]);
      // Nor is it taken from its studies when its recipe changes.
      const about = join(context.home.samples, 'icon-domains', 'about.json');
      writeFileSync(about, '{"recipe":"0000"}');
      expect(await ensureSample(context, 'icon-domains', work)).toBe(id);
      expect([...phases]).toEqual([]);
      const detail = await handlers['datasets.get']({ id });
      expect(detail).toMatchObject({
        name: 'icon-domains',
        images: 13,
        domainNames: ['color', 'duotone', 'emoji', 'freehand', 'line', 'pixel', 'solid'],
        classNames: ['bell', 'house'],
        groupedBy: expect.stringContaining('group'),
      });
      const samples = sampleHandlers(context);
      const listed = await samples['samples.list']({});
      expect(listed.map(({ datasetId }) => datasetId)).toEqual([id, null, null]);
      const job = await samples['samples.build']({ name: 'icon-domains' });
      expect(await context.jobs.wait(job.id)).toMatchObject({ status: 'done', result: id });
      expect(() => samples['samples.build']({ name: 'cats' })).toThrow(/cats/);
    } finally {
      await workbench.close();
    }
  });
});

describe('carryover samples', () => {
  it('lists the sets, built or not', async () => {
    await build('icon-domains', icons().fetchPackage);
    const args = ['cli/carryover.ts', 'samples', '--folder', folder, '--json'];
    const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status).toBe(0);
    const rows = JSON.parse(stdout) as { name: string; images: number | null }[];
    expect(rows.map(({ name, images }) => [name, images])).toEqual([
      ['icon-domains', 13],
      ['emoji-domains', null],
      ['brain-slices', null],
    ]);
    expect(rows.map(({ name }) => name)).toEqual(SAMPLES.map(({ name }) => name));
  });

  it('reports an unknown name with the way out and exit code 1', () => {
    const args = ['cli/carryover.ts', 'samples', 'build', 'cats', '--folder', folder];
    const { stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain('cats');
    expect(stderr).toContain('icon-domains, emoji-domains, brain-slices');
  });
});
