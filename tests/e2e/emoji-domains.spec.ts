import { expect, test } from './support/host.ts';
import { expectAccessible, selectedTile, tiles, visit } from './support/pages.ts';

test.use({ pictures: 'emoji-domains' });
test.describe.configure({ mode: 'serial' });

const STUDY = 'silhouettes after outlines';

test('the sample of 4,260 real images is imported with its groups and licences', async ({
  entered: page,
  host,
}) => {
  await visit(page, '#/data?import=choose');
  await page.getByLabel('Path of the folder or file').fill(host.images);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Look at every image' }).click();
  const dialog = page.getByRole('dialog', { name: 'What would be imported' });
  await expect(dialog.getByText(/group column of metadata\.csv/)).toBeVisible();
  await expect(dialog.getByText('CC-BY-SA-4.0')).toBeVisible();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Import 4,260 images' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'emoji-domains' })).toBeVisible();

  await expect(tiles(page).first()).toBeVisible();
  await page.getByRole('listbox').focus();
  await page.keyboard.press('End');
  await expect(selectedTile(page)).toHaveAttribute('aria-posinset', '4260');
  await expect(selectedTile(page).locator('img')).not.toHaveJSProperty('naturalWidth', 0);
  await page.getByRole('checkbox', { name: /^silhouette 736/ }).check();
  await expect(page.getByText('736 of 4,260 images')).toBeVisible();
});

test('a study on it keeps the tested code points out of pretraining and ends in images', async ({
  entered: page,
}) => {
  test.setTimeout(600_000);
  await visit(page, '#/studies/new');
  await page.getByLabel('Target domain').selectOption('silhouette');
  for (const domain of ['flat', 'glossy', 'render3d', 'shaded']) {
    await page.getByRole('checkbox', { name: domain, exact: true }).uncheck();
  }
  await page.getByLabel('Name').fill(STUDY);
  await page.getByLabel('Width').fill('4');
  await page.getByLabel('Image size').fill('32');
  await page.getByLabel('Epochs', { exact: true }).fill('2');
  await page.getByLabel('Pretraining epochs').fill('2');
  await page.getByLabel('Seeds', { exact: true }).fill('0');
  const plan = page.getByRole('complementary', { name: 'Plan' });
  await expect(plan.getByText('3 runs')).toBeVisible();
  await expect(
    plan.getByText(/left out of pretraining .* of groups that are tested/),
  ).toBeVisible();
  await expect(plan.getByText(/0 in both/)).toBeVisible();
  await plan.getByRole('button', { name: 'Create and start' }).click();
  await expect(page.getByText('3 of 3 runs done')).toBeVisible({ timeout: 500_000 });

  await page
    .getByRole('row', { name: /P-T\/RI-T/ })
    .getByRole('link', { name: /^Compare/ })
    .click();
  await tiles(page).first().click();
  await page.keyboard.press('Enter');
  const detail = page.getByRole('region', { name: 'One image' });
  await expect(detail.getByRole('img', { name: 'What run A saw' })).toHaveJSProperty(
    'naturalWidth',
    32,
  );
  await expectAccessible(page);
});
