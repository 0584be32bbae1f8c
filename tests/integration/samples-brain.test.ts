import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import sharp from 'sharp';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildSample } from '../../host/samples/build.ts';
import { debianPackage } from '../../host/samples/debian.ts';
import { ensureSample } from '../../host/samples/handlers.ts';
import type { FetchPackage } from '../../host/samples/packages.ts';
import { openWorkbench } from '../../host/workbench.ts';
import { niftiFile } from '../unit/samples/nifti-support.ts';

const never = new AbortController().signal;
const TEMPLATES = 'usr/share/mricron/templates';
const SIDE = 24;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carryover-brain-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A ball of tissue that is brighter upwards, in a cube of SIDE places. */
function ball(value: (x: number, y: number, z: number) => number): number[] {
  const middle = (SIDE - 1) / 2;
  return Array.from({ length: SIDE ** 3 }, (_, at) => {
    const place = [at % SIDE, Math.floor(at / SIDE) % SIDE, Math.floor(at / SIDE ** 2)] as const;
    const [x, y, z] = place;
    const inside = Math.hypot(x - middle, y - middle, z - middle) < SIDE / 2 - 2;
    return inside ? value(x, y, z) : 0;
  });
}

async function project(): Promise<Buffer> {
  const array = (key: string, numbers: number[], kind: string) =>
    `<key>${key}</key><array>${numbers.map((n) => `<${kind}>${n}</${kind}>`).join('')}</array>`;
  const shape = array('shape', [SIDE, SIDE, SIDE], 'integer');
  const spacing = array('spacing', [1, 1, 2], 'real');
  const values = Int16Array.from(
    ball(() => 100),
    (value) => (value === 0 ? -1000 : value),
  );
  const tar = pack();
  tar.entry({ name: 'tmp/main.plist' }, `<plist><dict>${shape}${spacing}</dict></plist>`);
  tar.entry({ name: 'tmp/matrix.dat' }, Buffer.from(values.buffer));
  tar.finalize();
  const parts: Uint8Array[] = [];
  for await (const part of tar) parts.push(part as Uint8Array);
  return gzipSync(Buffer.concat(parts));
}

/** Packages of the real ones' form: heads are balls, with an insula behind and a thalamus in front. */
const smallDebian: FetchPackage = async (name, place) => {
  const put = (path: string, content: Buffer | string) => {
    mkdirSync(dirname(join(place, path)), { recursive: true });
    writeFileSync(join(place, path), content);
  };
  if (name === 'invesalius-examples') {
    put('usr/share/doc/invesalius-examples/examples/Cranium.inv3', await project());
    return place;
  }
  const size = [SIDE, SIDE, SIDE] as const;
  const head = gzipSync(niftiFile({ size, values: ball((_x, _y, z) => 40 + 8 * z) }));
  for (const file of ['ch2', 'ch2bet', 'inia19-t1-brain']) put(`${TEMPLATES}/${file}.nii.gz`, head);
  const structures = ball((_x, y) => (y < SIDE / 2 ? 1 : 1002));
  const names = '1 Insula_L 3001\n1002 Thalamus_R 7102\n';
  put(`${TEMPLATES}/aal.nii.gz`, gzipSync(niftiFile({ size, values: structures, type: 4 })));
  put(`${TEMPLATES}/aal.nii.txt`, names);
  const comment = '\0\0\0\x001\tl_insula\n1002\tr_thalamus\n';
  const atlas = niftiFile({ size, values: structures, type: 4, comment });
  put(`${TEMPLATES}/inia19-NeuroMaps.nii.gz`, gzipSync(atlas));
  return place;
};

function build(samplesFolder: string, fetchPackage?: FetchPackage) {
  return buildSample('brain-slices', {
    samplesFolder,
    signal: never,
    onProgress: () => undefined,
    ...(fetchPackage && { fetchPackage }),
  });
}

describe('brain-slices', () => {
  it('cuts every volume in three directions, with its findings in labels.csv', async () => {
    const { folder: root } = await build(folder, smallDebian);
    expect(readdirSync(root).sort()).toEqual([
      'CT-head',
      'T1',
      'T1-macaque',
      'T1-skullstripped',
      'about.json',
      'labels.csv',
    ]);
    const table = readFileSync(join(root, 'labels.csv'), 'utf8');
    const rows: Record<string, string>[] = parse(table, { columns: true });
    const row = (path: string) => rows.find((each) => each['Path'] === path);
    expect(row('T1/coronal/005.png')).toMatchObject({
      Insula: '1',
      Thalamus: '0',
      View: 'coronal',
      Domain: 'T1',
      Group: 'colin-coronal-2',
      Licence: 'BSD-3-Clause',
      Source: `mricron-data ${TEMPLATES}/ch2.nii.gz coronal 5`,
    });
    expect(row('T1-macaque/axial/012.png')).toMatchObject({ Insula: '1', Thalamus: '1' });
    expect(row('CT-head/sagittal/012.png')).toMatchObject({ Insula: '', Vermis: '' });
    // The same place of the same head, with and without skull, stays together.
    expect(row('T1-skullstripped/axial/009.png')?.['Group']).toBe(
      row('T1/axial/009.png')?.['Group'],
    );
    const picture = sharp(join(root, 'T1/coronal/012.png')).toColourspace('b-w');
    const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 192, height: 192, channels: 1 });
    const grey = (x: number, y: number) => data[y * 192 + x] ?? 0;
    expect([grey(96, 40) > grey(96, 150), grey(2, 2)]).toEqual([true, 0]);
  });

  it('is imported with three answers to each finding', async () => {
    const workbench = openWorkbench({ home: join(folder, 'home'), command: 'test' });
    try {
      const { context, handlers } = workbench;
      await build(context.home.samples, smallDebian);
      const work = { signal: never, onProgress: () => undefined };
      const id = await ensureSample(context, 'brain-slices', work);
      const detail = await handlers['datasets.get']({ id });
      expect(detail).toMatchObject({
        task: 'multi-label',
        domainNames: ['CT-head', 'T1', 'T1-macaque', 'T1-skullstripped'],
        groupedBy: 'column Group',
      });
      expect(detail.classNames).toHaveLength(14);
      expect(detail.classNames.slice(4, 6)).toEqual(['Insula', 'Cingulum']);
    } finally {
      await workbench.close();
    }
  });

  it('without apt says where it can be built', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = folder;
    try {
      await expect(build(folder)).rejects.toMatchObject({
        code: 'unsupported',
        message: expect.stringContaining('mricron-data is a package of Debian'),
        detail: { wayOut: expect.stringContaining('on Debian or Ubuntu') },
      });
    } finally {
      process.env['PATH'] = path;
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  const apt = spawnSync('apt-get', ['--version']).status === 0;
  it.skipIf(!apt)('passes on why apt cannot fetch a package', async () => {
    const fetching = debianPackage('no-such-package-of-debian', folder, never);
    await expect(fetching).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(/no-such-package-of-debian: E: Unable to locate package/),
      detail: { wayOut: expect.stringContaining('apt-get update') },
    });
  });
});
