import { expect, test } from './support/host.ts';
import { expectAccessible, tiles, visit } from './support/pages.ts';

test.use({ pictures: 'icon-domains' });
test.describe.configure({ mode: 'serial' });

test('over 9,000 real images are imported; a reload in between finds the scan again', async ({
  entered: page,
  host,
}) => {
  await visit(page, `#/data?import=${encodeURIComponent(host.images)}`);
  await expect(page.getByRole('radio', { name: /^Folders: domain/ })).toBeChecked();
  await page.getByRole('button', { name: 'Look at every image' }).click();
  await expect(page.getByRole('dialog').getByRole('progressbar')).toBeVisible();
  await page.reload();
  await page.getByRole('button', { name: /^Import 9,\d{3} images$/ }).click({ timeout: 200_000 });
  await expect(page.getByRole('heading', { level: 1, name: 'icon-domains' })).toBeVisible();
  await expect(tiles(page).first().locator('img')).not.toHaveJSProperty('naturalWidth', 0);
});

test('its grid reaches any place, counts every value and changes all that match', async ({
  entered: page,
}) => {
  await visit(page, '#/data');
  await page.getByRole('link', { name: /^icon-domains/ }).click();
  const grid = page.getByRole('listbox', { name: /^Images, 9,/ });
  await expect(grid.getByRole('option').first()).toBeVisible();
  await page.keyboard.press('j');
  await page.keyboard.type('9000');
  await page.keyboard.press('Enter');
  const selected = grid.getByRole('option', { selected: true });
  await expect(selected).toHaveAttribute('aria-posinset', '9000');
  await expect(selected).toBeInViewport();
  await expectAccessible(page);

  await page.keyboard.press('Escape');
  const domains = page.getByRole('list', { name: 'Domain', exact: true });
  await domains.getByRole('checkbox', { name: /^line/ }).check();
  const shown = page.getByRole('status').filter({ hasText: / of 9,\d{3} images/ });
  const matching = Number((await shown.innerText()).replace(/ of .*/, '').replace(',', ''));
  expect(matching).toBeGreaterThan(4000);
  await tiles(page).first().click();
  await page.keyboard.press('Control+a');
  await page.keyboard.press('t');
  await page.keyboard.type('drawn in lines');
  await page.keyboard.press('Enter');
  const tags = page.getByRole('list', { name: 'Tag', exact: true });
  const tag = `drawn in lines ${matching.toLocaleString('en')}`;
  await expect(tags.getByRole('checkbox', { name: tag })).toBeVisible();
  await page.getByRole('button', { name: 'Clear all filters' }).click();
  await expect(tags.getByRole('checkbox', { name: tag })).toBeVisible();
});
