import { expect, test } from './support/host.ts';
import { expectAccessible, visit } from './support/pages.ts';

test('a folder that is not there is named, with what to do', async ({ entered: page }) => {
  await visit(page, '#/data?import=choose');
  const missing = '/no/such folder/of “images”';
  await page.getByLabel('Path of the folder or file').fill(missing);
  await page.getByRole('button', { name: 'Look at it' }).click();
  await expect(page.getByRole('alert').filter({ hasText: missing }).first()).toBeVisible();
  await expectAccessible(page);
});

test('a study that is not there says so instead of an empty page', async ({ entered: page }) => {
  await visit(page, '#/studies/none-such');
  await expect(page.getByRole('alert')).toContainText('none-such');
});

test('keys are left alone while typing, and ? lists them otherwise', async ({ entered: page }) => {
  await visit(page, '#/data?import=choose');
  const path = page.getByLabel('Path of the folder or file');
  await path.fill('');
  await path.pressSequentially('gs?');
  await expect(path).toHaveValue('gs?');
  await page.keyboard.press('Escape');
  // A closed dialog keeps the focus until it is gone.
  await expect(path).toHaveCount(0);
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('g');
  await page.keyboard.press('c');
  await expect(page.getByRole('heading', { name: 'Nothing to compare yet' })).toBeVisible();
});

test('the theme follows the system until it is chosen, and the choice is kept', async ({
  entered: page,
}) => {
  const root = page.locator('html');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect(root).toHaveAttribute('data-theme', 'dark');
  await page.getByRole('button', { name: 'Use the light theme' }).click();
  await expect(root).toHaveAttribute('data-theme', 'light');
  await page.reload();
  await expect(root).toHaveAttribute('data-theme', 'light');
});

test('without the token there is no workbench', async ({ browser, host }) => {
  const stranger = await browser.newContext();
  const response = await stranger.request.post(`${new URL(host.url).origin}/api/datasets.list`, {
    data: {},
  });
  expect(response.status()).toBe(401);
  await stranger.close();
});
