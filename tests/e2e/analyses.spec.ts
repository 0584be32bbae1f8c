import type { Page } from '@playwright/test';
import { expect, test } from './support/host.ts';
import { expectAccessible, tiles, visit } from './support/pages.ts';

test.use({ pictures: 'icon-domains', home: 'analyses' });
test.describe.configure({ mode: 'serial' });

let datasetId = '';

/** Draws a closed line around the middle of the map. */
async function lasso(page: Page) {
  const box = await page.locator('canvas').boundingBox();
  if (!box) throw new Error('there is no map');
  const at = (x: number, y: number) => [box.x + box.width * x, box.y + box.height * y] as const;
  await page.mouse.move(...at(0.4, 0.35));
  await page.mouse.down();
  for (const [x, y] of [
    [0.6, 0.35],
    [0.6, 0.6],
    [0.4, 0.6],
  ] as const) {
    await page.mouse.move(...at(x, y), { steps: 4 });
  }
  await page.mouse.up();
}

test('a map of over 9,000 real images by their pixels', async ({ entered: page, host }) => {
  await visit(page, `#/data?import=${encodeURIComponent(host.images)}`);
  await page.getByRole('button', { name: 'Look at every image' }).click();
  await page.getByRole('button', { name: /^Import 9,\d{3} images$/ }).click({ timeout: 200_000 });
  await expect(page.getByRole('heading', { level: 1, name: 'icon-domains' })).toBeVisible();
  datasetId = /#\/data\/(\w+)/.exec(page.url())?.[1] ?? '';
  await page.getByRole('link', { name: 'Map', exact: true }).click();
  await expect(page.getByText('No map yet')).toBeVisible();
  await expectAccessible(page);
  await page.getByLabel('Neighbours').fill('10');
  await page.getByRole('button', { name: 'Make a map' }).click();
  await expect(page.getByRole('progressbar')).toBeVisible();
  await expect(page.getByText(/^9,\d{3} images by 1,024 features of plain pixels/)).toBeVisible({
    timeout: 240_000,
  });
  await expectAccessible(page);
});

test('a lasso selects images, which the grid then shows', async ({ entered: page }) => {
  await visit(page, `#/data/${datasetId}/map?by=domain`);
  const legend = page.getByRole('region', { name: 'Legend' });
  await expect(legend.getByRole('listitem')).toHaveCount(7);
  await lasso(page);
  const selection = page.getByRole('region', { name: 'Selected images' });
  const status = selection.getByRole('status');
  await expect(status).toHaveText(/^[1-9][\d,]* images selected$/);
  const first = Number((await status.innerText()).replace(/\D/g, ''));
  await legend.getByRole('button', { name: 'Select emoji' }).click();
  await expect(status).not.toHaveText(`${first.toLocaleString('en')} images selected`);
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(status).toHaveText('0 images selected');
  await lasso(page);
  await expect(status).toHaveText(`${first.toLocaleString('en')} images selected`);
  await selection.getByRole('link', { name: /in the grid$/ }).click();
  const grid = page.getByRole('listbox', { name: `Images, ${first.toLocaleString('en')}` });
  await expect(grid.getByRole('option').first()).toBeVisible();

  await tiles(page).first().click();
  const alike = page.getByRole('region', { name: 'Most alike' });
  await expect(alike.getByRole('listitem')).toHaveCount(12);
});

test('the map by keyboard, and its files', async ({ entered: page }) => {
  await visit(page, `#/data/${datasetId}/map`);
  const canvas = page.getByRole('img', { name: /^Map of 9,?\d{3} images/ });
  await canvas.focus();
  const before = await canvas.screenshot();
  await page.keyboard.press('+');
  await page.keyboard.press('ArrowLeft');
  await expect.poll(async () => before.equals(await canvas.screenshot())).toBe(false);
  for (const kind of ['CSV', 'PNG', 'SVG']) {
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: kind, exact: true }).click(),
    ]);
    expect(file.suggestedFilename()).toMatch(new RegExp(`^map-m\\w+\\.${kind.toLowerCase()}$`));
  }
});

test('suspects are looked for, accepted, kept, excluded and taken back by keyboard', async ({
  entered: page,
}) => {
  await visit(page, `#/data/${datasetId}/suspects`);
  await expect(page.getByText('Not looked for yet')).toBeVisible();
  await page.getByLabel('Folds').fill('2');
  await page.getByRole('button', { name: 'Look for label errors' }).click();
  const wall = page.getByRole('listbox', { name: /^Suspects, / });
  await expect(wall.getByRole('option').first()).toBeVisible({ timeout: 240_000 });
  await expectAccessible(page);
  const verdict = (n: number) => wall.getByRole('option').nth(n).locator('.verdict');

  await wall.focus();
  await page.keyboard.press('Enter');
  await expect(verdict(0)).toHaveText('relabelled');
  await page.keyboard.press('k');
  await expect(verdict(1)).toHaveText('kept');
  await page.keyboard.press('x');
  await expect(verdict(2)).toHaveText('excluded');
  await page.keyboard.press('u');
  await expect(verdict(2)).toHaveCount(0);
  await page.keyboard.press('u');
  await expect(verdict(1)).toHaveCount(0);
  await page.keyboard.press('u');
  await expect(verdict(0)).toHaveCount(0);

  const all = await wall.getAttribute('aria-label');
  await page.getByRole('list', { name: 'Confusions' }).getByRole('checkbox').first().check();
  await expect(wall).not.toHaveAttribute('aria-label', all ?? '');
  await expectAccessible(page);
});
