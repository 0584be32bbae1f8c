import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from './support/host.ts';
import { expectAccessible, tiles, visit } from './support/pages.ts';

test.use({ pictures: 'icon-domains' });
test.describe.configure({ mode: 'serial' });

let folder: string;
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'carryover-e2e-trust-'));
});
test.afterAll(() => rmSync(folder, { recursive: true }));

const parts = (page: Page) => page.getByRole('navigation', { name: 'Parts of the report' });
const findings = (page: Page) => page.getByRole('list', { name: 'Findings' });
const slider = (page: Page) => page.getByRole('slider', { name: /Near duplicates/ });

/** Imports a folder, or finds it imported before, and opens its trust page. */
async function openTrust(page: Page, path: string, name: string) {
  await visit(page, `#/data?import=${encodeURIComponent(path)}`);
  await page.getByRole('button', { name: 'Look at every image' }).click();
  await page.getByRole('button', { name: /^Import [\d,]+ images$/ }).click({ timeout: 200_000 });
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  await page.getByRole('link', { name: 'Trust', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: `Trust in ${name}` })).toBeVisible();
  await expect(findings(page)).toBeVisible();
}

test('over 9,000 real images: near duplicates, side by side, at any distance', async ({
  entered: page,
  host,
}) => {
  await openTrust(page, host.images, 'icon-domains');
  await expect(page.getByRole('heading', { name: 'Look before you trust it' })).toBeVisible();
  await expect(findings(page)).toContainText(/[\d,]+ images in \d+ sets of near duplicates/);
  await expectAccessible(page);

  await parts(page)
    .getByRole('button', { name: /^Nearly identical/ })
    .click();
  const sets = page.getByRole('list', { name: 'Nearly identical' }).locator('[aria-setsize]');
  const first = sets.first();
  await expect(first).toContainText(/hashes/);
  await expect(first.getByRole('img').nth(1)).not.toHaveJSProperty('naturalWidth', 0);
  const at6 = Number(await first.getAttribute('aria-setsize'));
  expect(at6).toBeGreaterThan(500);
  await slider(page).fill('0');
  await expect(findings(page)).toContainText('within 0 of 64 bits');
  await expect(first).toContainText('hashes are equal');
  expect(Number(await first.getAttribute('aria-setsize'))).toBeLessThan(at6 / 2);
  await page.reload();
  await expect(slider(page)).toHaveValue('0');
  await expect(first).toContainText('hashes are equal');
});

test('a set opens as its images, and the way back leads to the report', async ({
  entered: page,
  host,
}) => {
  await openTrust(page, host.images, 'icon-domains');
  const set = page.getByRole('list', { name: 'Label conflicts' }).locator('[aria-setsize]').first();
  const link = set.getByRole('link', { name: /^\d+ images$/ });
  const images = parseInt(await link.innerText(), 10);
  await link.click();
  await expect(tiles(page).first()).toHaveAttribute('aria-setsize', String(images));
  await page.goBack();
  await expect(findings(page)).toBeVisible();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'CSV' }).click(),
  ]);
  const lines = readFileSync(await download.path(), 'utf8').split('\r\n');
  expect(lines[0]).toBe('kind,set,image,path,label,domain,split,distance,why');
  expect(lines.filter((line) => line.startsWith('label conflict,1,'))).toHaveLength(images);
});

/** Two classes with given splits: a copy over splits, a patient in both, a conflict, a broken file. */
function leaky(icons: string): string {
  const root = join(folder, 'leaky');
  const rows = ['file_name,group'];
  for (const [split, from] of [
    ['train', 0],
    ['test', 6],
  ] satisfies [string, number][]) {
    for (const label of ['bell', 'house']) {
      mkdirSync(join(root, split, label), { recursive: true });
      for (let n = from; n < from + 6; n += 1) {
        cpSync(icon(icons, label, n), join(root, split, label, `${n}.png`));
        rows.push(`${split}/${label}/${n}.png,${n === 5 || n === 6 ? 'Ann' : `${label} ${n}`}`);
      }
    }
  }
  copyFileSync(join(root, 'train/bell/0.png'), join(root, 'test/bell/copy.png'));
  copyFileSync(join(root, 'train/bell/1.png'), join(root, 'train/house/bell.png'));
  writeFileSync(join(root, 'test/bell/broken.png'), 'no image');
  writeFileSync(join(root, 'metadata.csv'), rows.join('\n'));
  return root;
}

/** The path of the n-th icon of a class. */
function icon(icons: string, label: string, n: number): string {
  const lines = readFileSync(join(icons, 'metadata.csv'), 'utf8').split(/\r?\n/);
  const paths = lines.map((line) => line.split(',')[0] ?? '');
  return join(icons, paths.filter((path) => path.startsWith(`solid/${label}/`))[n] ?? '');
}

test('leaks of given splits come first; excluding what leaks makes the page calm about it', async ({
  entered: page,
  host,
}) => {
  await openTrust(page, leaky(host.images), 'leaky');
  await expect(
    page.getByRole('heading', { name: 'Figures made from it would mislead' }),
  ).toBeVisible();
  const worst = findings(page).getByRole('listitem').first();
  await expect(worst).toContainText(
    /of 13 test images .* are of a group with images used for training/,
  );
  await expect(findings(page)).toContainText(
    '1 of 13 test images (7.7 %) is byte for byte the same',
  );
  await expect(findings(page)).toContainText('1 set of identical images with different labels');
  await parts(page)
    .getByRole('button', { name: /^Groups over splits/ })
    .click();
  await expect(page.getByRole('list', { name: 'Groups over splits' })).toContainText('Ann');
  await parts(page)
    .getByRole('button', { name: /^Files not taken 1/ })
    .click();
  await expect(page.getByText('test/bell/broken.png')).toBeVisible();
  await parts(page).getByRole('button', { name: 'Balance' }).click();
  await page.getByRole('button', { name: 'test', exact: true }).click();
  await expect(page.getByRole('row', { name: /^bell/ })).toContainText('7');
  await expectAccessible(page);

  await worst.getByRole('link').click();
  await tiles(page).first().click();
  await page.keyboard.press('Control+a');
  await page.keyboard.press('x');
  await expect(tiles(page)).toHaveCount(0);
  await page.goBack();
  await expect(findings(page)).toContainText('left out of this report');
  await expect(findings(page)).not.toContainText('are of a group');
});
