import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from './support/host.ts';
import { expectAccessible, visit } from './support/pages.ts';

test.use({ home: 'data' });
test.describe.configure({ mode: 'serial' });

const SITES = ['arm', 'leg'];
let folder: string;

test.beforeAll(({ host }) => {
  folder = mkdtempSync(join(tmpdir(), 'carryover-e2e-data-'));
  cpSync(host.images, join(folder, 'shapes'), { recursive: true });
  lesions(host.images);
  chest(host.images);
  damaged(host.images);
});

test.afterAll(() => rmSync(folder, { recursive: true }));

/** A table with a class, an age, a site and a patient for each of twelve images. */
function lesions(images: string) {
  const root = join(folder, 'lesions');
  mkdirSync(join(root, 'files'), { recursive: true });
  const rows = Array.from({ length: 12 }, (_, n) => {
    const shape = n % 2 === 0 ? 'circle' : 'square';
    cpSync(join(images, 'filled', shape, `${shape} ${n}.png`), join(root, 'files', `${n}.png`));
    return [`files/${n}.png`, shape, n * 9, SITES[n % 2], `p${Math.floor(n / 3)}`].join(',');
  });
  writeFileSync(join(root, 'list.csv'), ['image,dx,age,site,patient_id', ...rows].join('\n'));
}

/** CheXpert as published, with two findings' worth of values on six images. */
function chest(images: string) {
  const findings = (
    'No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,Edema,' +
    'Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,' +
    'Support Devices'
  ).split(',');
  const row = (path: string, edema: string) => {
    const values: Record<string, string> = {
      Edema: edema,
      Pneumonia: edema === '0.0' ? '1.0' : '',
    };
    const cells = findings.map((name) => values[name] ?? '');
    return [path, 'Female', '61', 'Frontal', 'AP', ...cells].join(',');
  };
  const tables = { train: ['1.0', '0.0', '-1.0', ''], valid: ['1.0', '0.0'] };
  for (const [part, values] of Object.entries(tables)) {
    const rows = values.map((value, n) => {
      const path = `CheXpert-v1.0-small/${part}/patient0000${n}/study1/view1_frontal.jpg`;
      mkdirSync(join(folder, 'chest', path, '..'), { recursive: true });
      const file = part === 'train' ? `circle ${n}.png` : `circle ${10 + n}.png`;
      cpSync(join(images, 'filled', 'circle', file), join(folder, 'chest', path));
      return row(path, value);
    });
    const header = ['Path', 'Sex', 'Age', 'Frontal/Lateral', 'AP/PA', ...findings].join(',');
    const table = join(folder, 'chest', 'CheXpert-v1.0-small', `${part}.csv`);
    writeFileSync(table, [header, ...rows].join('\n'));
  }
}

/** Four good images among one hundred broken files. */
function damaged(images: string) {
  for (const shape of ['circle', 'square']) {
    const root = join(folder, 'damaged', shape);
    mkdirSync(root, { recursive: true });
    for (const n of [0, 1]) {
      cpSync(join(images, 'filled', shape, `${shape} ${n}.png`), join(root, `${n}.png`));
    }
    for (let n = 0; n < 50; n += 1) writeFileSync(join(root, `broken ${n}.jpg`), n % 2 ? '' : 'no');
  }
}

async function lookAt(page: Page, name: string) {
  await visit(page, '#/data?import=choose');
  await page.getByLabel('Path of the folder or file').fill(join(folder, name));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('region', { name: 'Preview' }).getByRole('table')).toBeVisible();
}

async function importNow(page: Page, name: string, images: number) {
  await page.getByRole('button', { name: 'Look at every image' }).click();
  await page.getByRole('button', { name: `Import ${images} images` }).click();
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  await expect(options(page).first()).toBeVisible();
}

const grid = (page: Page) => page.getByRole('listbox', { name: /^Images/ });
const options = (page: Page) => grid(page).getByRole('option');
const facet = (page: Page, name: string) => page.getByRole('list', { name, exact: true });
const bar = (page: Page) => page.getByRole('region', { name: 'Selected images' });
const image = (page: Page) => page.getByRole('complementary', { name: 'Image' });

test('folders mean what is said of them, and the preview follows', async ({ entered: page }) => {
  await lookAt(page, 'shapes');
  const preview = page.getByRole('region', { name: 'Preview' });
  await expect(preview.getByText('180 images')).toBeVisible();
  await expect(preview.getByRole('list', { name: 'Domains' })).toContainText('filled');
  await page.getByLabel('Meaning of level 1').selectOption('attribute');
  await page.getByLabel('Name of the attribute of level 1').fill('drawing');
  await expect(preview.getByRole('columnheader', { name: 'drawing' })).toBeVisible();
  await expect(preview.getByText('180 images, 3 classes, 1 domain')).toBeVisible();
  await expectAccessible(page);

  await page.getByLabel('Meaning of level 2').selectOption('ignore');
  await expect(preview.getByRole('alert')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Look at every image' })).toBeDisabled();
  await page.getByLabel('Meaning of level 2').selectOption('class');

  await importNow(page, 'shapes', 180);
  const drawing = facet(page, 'drawing');
  await expect(drawing.getByRole('checkbox', { name: 'filled 90' })).toBeVisible();
  await drawing.getByRole('checkbox', { name: 'filled 90' }).check();
  await expect(page.getByText('90 of 180 images')).toBeVisible();
});

test('columns of a table mean what is said of them', async ({ entered: page }) => {
  await lookAt(page, 'lesions');
  const preview = page.getByRole('region', { name: 'Preview' });
  await expect(preview.getByText('12 images, 2 classes')).toBeVisible();
  await page.getByRole('combobox', { name: /^Domain/ }).selectOption('site');
  await expect(preview.getByText('12 images, 2 classes, 2 domains')).toBeVisible();
  await page.getByRole('combobox', { name: /^Group/ }).selectOption('patient_id');
  const site = preview.getByRole('columnheader', { name: 'site' });
  await expect(site).toBeVisible();
  const kept = page.getByRole('list', { name: 'Kept as attributes' });
  await kept.getByRole('checkbox', { name: /^site/ }).uncheck();
  await expect(site).toHaveCount(0);
  await expect(kept.getByRole('checkbox', { name: /^age/ })).toBeChecked();
  await expectAccessible(page);

  await importNow(page, 'lesions', 12);
  await options(page).first().click();
  await expect(image(page).getByText('p0', { exact: true })).toBeVisible();
  const values = facet(page, 'age').getByRole('listitem');
  await expect(values.first()).toContainText('0');
  await expect(values.nth(2)).toContainText('18');
});

test('one hundred broken files are listed with their reasons; the rest is imported', async ({
  entered: page,
}) => {
  await lookAt(page, 'damaged');
  await page.getByRole('button', { name: 'Look at every image' }).click();
  await page.getByText('100 skipped files').click();
  const skipped = page.getByRole('list', { name: '100 skipped files' });
  await expect(skipped.getByRole('listitem').first()).toHaveAttribute('aria-setsize', '100');
  await expect(skipped.getByText(join('circle', 'broken 0.jpg'), { exact: true })).toBeVisible();
  await skipped.focus();
  await page.keyboard.press('End');
  await expect(skipped.getByText(join('square', 'broken 9.jpg'), { exact: true })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Import 4 images' }).click();
  await expect(page.getByText('4 images', { exact: true })).toBeVisible();
});

test('images are selected, relabelled, tagged and excluded by keyboard, and it is undone', async ({
  entered: page,
}) => {
  await visit(page, '#/data');
  await page.getByRole('link', { name: /^shapes/ }).click();
  await options(page).first().click();
  await options(page)
    .nth(3)
    .click({ modifiers: ['Shift'] });
  await expect(bar(page).getByText('4 selected')).toBeVisible();
  await options(page)
    .nth(1)
    .click({ modifiers: ['Control'] });
  await expect(bar(page).getByText('3 selected')).toBeVisible();

  await page.keyboard.press('t');
  await page.keyboard.type('odd one');
  await page.keyboard.press('Enter');
  const tags = facet(page, 'Tag');
  await expect(tags.getByRole('checkbox', { name: 'odd one 3' })).toBeVisible();
  await expect(options(page).first()).toContainText('odd one');
  await grid(page).focus();
  await page.keyboard.press('1');
  await expect(tags).toHaveCount(0);
  await expect(page.getByRole('button', { name: /^Undo: 3 images tag odd one/ })).toBeVisible();
  await page.keyboard.press('u');
  await expect(tags.getByRole('checkbox', { name: 'odd one 3' })).toBeVisible();
  await expectAccessible(page);

  await page.keyboard.press('r');
  await page.keyboard.type('hexagon');
  await expect(page.getByRole('option', { name: 'New class hexagon' })).toBeVisible();
  await page.keyboard.press('Enter');
  const classes = facet(page, 'Class');
  await expect(classes.getByRole('checkbox', { name: 'hexagon 3' })).toBeVisible();
  await expect(classes.getByRole('checkbox', { name: 'circle 57' })).toBeVisible();
  await options(page).first().click();
  await expect(image(page).getByText('Class as imported')).toBeVisible();

  await page.keyboard.press('x');
  await expect(page.getByText('179 of 180 images')).toBeVisible();
  await page.getByLabel('Excluded images').selectOption('only');
  await expect(page.getByText('1 of 180 images')).toBeVisible();
  await expect(options(page).first()).toContainText('excluded');
  await page.getByLabel('Excluded images').selectOption('');
  await expect(page.getByText('179 of 180 images')).toBeVisible();
  await expect(options(page).nth(1)).toBeVisible();

  await grid(page).focus();
  await page.keyboard.press('Control+a');
  await expect(bar(page).getByText('179 selected')).toBeVisible();
  await page.keyboard.press('1');
  await expect(tags.getByRole('checkbox', { name: 'odd one 179' })).toBeVisible();

  await page.getByRole('button', { name: 'Data set', exact: true }).click();
  await page.getByRole('button', { name: 'Changes and undo' }).click();
  const history = page.getByRole('dialog', { name: 'Changes' });
  await expect(history.getByRole('listitem').first()).toContainText('tagged odd one');
  await expectAccessible(page);
  await history.getByRole('button', { name: 'Undo: 3 images relabelled to hexagon' }).click();
  await expect(history.getByRole('button', { name: /relabelled/ })).toHaveCount(0);
  await history.getByRole('button', { name: 'Undo: 1 image excluded' }).click();
  await expect(history.getByRole('button', { name: /excluded/ })).toHaveCount(0);
  await history.getByRole('button', { name: 'Close' }).click();
  await expect(page.getByText('180 images', { exact: true })).toBeVisible();
  await expect(classes.getByRole('checkbox', { name: 'circle 60' })).toBeVisible();
});

test('keys of the selection are left alone while a path is searched', async ({ entered: page }) => {
  await visit(page, '#/data');
  await page.getByRole('link', { name: /^shapes/ }).click();
  await options(page).first().click();
  await page.keyboard.press('/');
  await page.keyboard.type('x1u');
  await expect(page.getByLabel('Search paths')).toHaveValue('x1u');
  await expect(page.getByText('No image matches')).toBeVisible();
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await expect(page.getByText('180 images', { exact: true })).toBeVisible();
});

test('any position is jumped to, and a link to an image finds its place', async ({
  entered: page,
}) => {
  const selected = grid(page).getByRole('option', { selected: true });
  for (const reducedMotion of ['reduce', 'no-preference'] as const) {
    await page.emulateMedia({ reducedMotion });
    await visit(page, '#/data');
    await page.getByRole('link', { name: /^shapes/ }).click();
    await expect(options(page).first()).toBeVisible();
    await page.keyboard.press('j');
    await page.keyboard.type('137');
    await page.keyboard.press('Enter');
    await expect(selected).toHaveAttribute('aria-posinset', '137');
    await expect(selected).toBeInViewport();
    await page.keyboard.press('Escape');
  }
  await options(page).first().click();
  const id = new URLSearchParams(new URL(page.url()).hash.split('?')[1]).get('image');
  const own = new URL(page.url()).hash.split('?')[0] ?? '';
  await visit(page, '#/data');
  await visit(page, `${own}?image=${id}`);
  await expect(selected).toBeInViewport();
  await visit(page, '#/data');
  await visit(page, `${own}?ids=${id}`);
  await expect(page.getByText('1 of 180 images')).toBeVisible();
  await page.getByRole('button', { name: 'Show all' }).click();
  await expect(page.getByText('180 images', { exact: true })).toBeVisible();
});

test('findings keep four values apart and can be corrected', async ({ entered: page }) => {
  await lookAt(page, 'chest');
  await importNow(page, 'chest', 6);
  const present = facet(page, 'Finding, present');
  await expect(present.getByRole('checkbox', { name: 'Edema 2' })).toBeVisible();
  await page.getByRole('button', { name: 'Finding, uncertain' }).click();
  await facet(page, 'Finding, uncertain').getByRole('checkbox', { name: 'Edema 1' }).check();
  await expect(page.getByText('1 of 6 images')).toBeVisible();
  await options(page).first().click();
  const edema = image(page).getByLabel('Edema');
  await expect(edema).toHaveValue('-1');
  await expect(image(page).getByLabel('Pneumonia')).toHaveValue('blank');
  await expectAccessible(page);
  await edema.selectOption('absent');
  await expect(page.getByText('No image matches')).toBeVisible();
  await bar(page).getByRole('button', { name: /^Undo/ }).click();
  await expect(page.getByText('1 of 6 images')).toBeVisible();
  await page.getByRole('button', { name: 'Clear all filters' }).click();
  await facet(page, 'Given split').getByRole('checkbox', { name: 'validation 2' }).check();
  await expect(page.getByText('2 of 6 images')).toBeVisible();
});

test('files that are gone are found by a check, and linked again where they lie now', async ({
  entered: page,
}) => {
  const [before, after] = [join(folder, 'lesions'), join(folder, 'lesions, moved')];
  renameSync(before, after);
  await visit(page, '#/data');
  await page.getByRole('link', { name: /^lesions/ }).click();
  await page.getByRole('button', { name: 'Data set', exact: true }).click();
  await page.getByRole('button', { name: 'Check the files…' }).click();
  await page.getByRole('button', { name: 'Check the files', exact: true }).click();
  await expect(page.getByText('12 missing and 0 changed, of 12 images')).toBeVisible();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'The files lie elsewhere now…' }).click();
  const dialog = page.getByRole('dialog', { name: /Where the files/ });
  await dialog.getByLabel('Path of the folder').fill(join(folder, 'damaged'));
  await dialog.getByRole('button', { name: 'Use this folder' }).click();
  await expect(dialog.getByRole('alert')).toBeVisible();
  await dialog.getByLabel('Path of the folder').fill(after);
  await dialog.getByRole('button', { name: 'Use this folder' }).click();
  await expect(dialog).toHaveCount(0);
  await options(page).first().click();
  await expect(image(page).getByText(join(after, 'files'))).toBeVisible();
  await expect(image(page).getByText('no longer there')).toHaveCount(0);
});

test('what cannot be read says why, and what to choose instead', async ({ entered: page }) => {
  mkdirSync(join(folder, 'nothing'));
  writeFileSync(join(folder, 'nothing', 'notes.txt'), 'no images');
  await visit(page, '#/data?import=choose');
  await page.getByLabel('Path of the folder or file').fill(join(folder, 'nothing'));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toContainText('Choose a folder of class folders');
  await page.getByRole('button', { name: 'Another source' }).click();
  await expect(page.getByLabel('Path of the folder or file')).toHaveValue(join(folder, 'nothing'));
});
