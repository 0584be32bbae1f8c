import { expect, test } from './support/host.ts';
import { expectAccessible, visit } from './support/pages.ts';

test.describe.configure({ mode: 'serial' });

/** Testing all devices takes seconds; beside other tests on few cores, a minute. */
const TESTED = { timeout: 180_000 };

test('devices are tested at the first visit, listed with reasons, and one is chosen by keyboard', async ({
  entered: page,
}) => {
  test.setTimeout(240_000);
  await page.keyboard.press('g');
  await page.keyboard.press('e');
  await expect(page.getByRole('heading', { level: 1, name: 'Settings' })).toBeVisible();
  await expect(page.getByRole('progressbar', { name: /Testing the devices/ })).toBeVisible();
  const devices = page.getByRole('radiogroup', { name: 'Device' });
  await expect(devices).toBeVisible(TESTED);
  await expect(devices.getByRole('radio')).toHaveCount(7);
  await expect(devices.getByRole('radio', { name: /Automatic now/ })).toBeChecked();

  const cpu = devices.getByRole('radio', { name: 'CPU passes' });
  await expect(cpu).toHaveAccessibleDescription(/onnxruntime.* ms a step · differs by/);
  const foreign = devices.getByRole('radio', { name: /not on this system/ });
  await expect(foreign.first()).toBeDisabled();
  await expect(foreign.first()).toHaveAccessibleDescription(/is a part of (Windows|macOS)/);
  await expectAccessible(page);

  await devices.getByRole('radio', { name: /Automatic/ }).focus();
  await page.keyboard.press('ArrowDown');
  await expect(cpu).toBeChecked();
  await page.reload();
  await expect(devices.getByRole('radio', { name: 'CPU passes' })).toBeChecked();
  await expect(page.getByRole('button', { name: 'Test again' })).toBeVisible();
});

test('the test is run again with progress, and can be given up', async ({ entered: page }) => {
  await visit(page, '#/settings');
  await page.getByRole('button', { name: 'Test again' }).click();
  await expect(page.getByRole('progressbar', { name: /Testing the devices/ })).toBeVisible();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('button', { name: 'Test again' })).toBeVisible();
  await expect(page.getByRole('radio', { name: 'CPU passes' })).toBeVisible();
});

test('the bound of the decoded images is set, kept, and refused when it is too small', async ({
  entered: page,
}) => {
  await visit(page, '#/settings');
  const bound = page.getByLabel('At most, in MB');
  await bound.fill('500');
  await bound.press('Enter');
  await expect(page.getByText(/of 500 MB in 0 files/)).toBeVisible();
  await page.reload();
  await expect(bound).toHaveValue('500');

  await bound.fill('5');
  await bound.press('Enter');
  await expect(page.getByRole('alert')).toContainText('100');
  await expect(bound).toHaveValue('500');
  await expect(page.getByRole('button', { name: 'Clear' })).toBeDisabled();
  await expectAccessible(page);
});

test('in the dark it reads as well', async ({ entered: page }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await visit(page, '#/settings');
  await expect(page.getByRole('radio', { name: 'CPU passes' })).toBeVisible();
  await expectAccessible(page);
});
