import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeSafetensors } from '../../engine/formats/safetensors.ts';
import { drawnWeights } from '../integration/drawn-weights.ts';
import { expect, test } from './support/host.ts';
import { expectAccessible, visit } from './support/pages.ts';

test.describe.configure({ mode: 'serial' });

let folder: string;
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'carryover-e2e-weights-'));
  const tensors = drawnWeights({ name: 'resnet18', image: 64, width: 8 }, 5);
  const whole = encodeSafetensors({
    tensors,
    metadata: { 'carryover.classes': '["a","b","c","d","e"]' },
  });
  writeFileSync(join(folder, 'whole net.safetensors'), whole);
  tensors.delete('layer2.0.bn1.bias');
  const spoilt = new Map(tensors);
  spoilt.set('fc.bias', { shape: [5], data: Float32Array.of(0, NaN, 0, 0, 0) });
  writeFileSync(
    join(folder, 'spoilt.safetensors'),
    encodeSafetensors({ tensors: spoilt, metadata: {} }),
  );
  const long = `projection.${'a-very-long-part.'.repeat(6)}weight`;
  tensors.set(long, { shape: [3], data: new Float32Array(3) });
  writeFileSync(join(folder, 'odd.safetensors'), encodeSafetensors({ tensors, metadata: {} }));
  writeFileSync(join(folder, 'notes.json'), '{"these are": "no weights"}');
});
test.afterAll(() => rmSync(folder, { recursive: true }));

test('a file is chosen by keyboard, looked into, and imported', async ({ entered: page }) => {
  await page.getByRole('link', { name: 'Checkpoints' }).click();
  await expect(page.getByText('No checkpoints yet')).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Known sources' })).toBeVisible();
  const pickled = page.getByRole('listitem').filter({ hasText: 'DenseNet-121, chest X-rays' });
  await expect(pickled).toContainText('pickled Python module');
  await expect(pickled.getByRole('button')).toHaveCount(0);
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Import weights' }).first().press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('Path of the weights file')).toBeFocused();
  await page.keyboard.insertText(folder);
  await page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: /whole net\.safetensors/ }).press('Enter');

  await expect(dialog.getByText('Everything fits.')).toBeVisible();
  await expect(dialog.getByText('resnet18, width 8, imagenet stem, RGB')).toBeVisible();
  await expect(dialog.getByText('5 classes: a, b, c, d, e')).toBeVisible();
  await expect(dialog.getByLabel('Name, as studies will call it')).toHaveValue('whole net');
  await dialog.getByRole('button', { name: 'ImageNet' }).click();
  await expect(dialog.getByLabel('Mean (R, G, B)')).toHaveValue('0.485, 0.456, 0.406');
  await dialog.getByLabel('Size (px)').fill('6 4');
  await expect(dialog.getByRole('button', { name: 'Import' })).toBeDisabled();
  await dialog.getByLabel('Size (px)').fill('64');
  await dialog.getByLabel('Licence of the weights').fill('CC0-1.0');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Import' }).press('Enter');

  const made = page.getByRole('dialog', { name: 'whole net' });
  await expect(made.getByText('init: { checkpoint: whole net }')).toBeVisible();
  await expect(made.getByText('64 px, mean 0.485 0.456 0.406')).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  const row = page.getByRole('row', { name: /whole net/ });
  await expect(row.getByRole('cell').nth(0)).toHaveText('resnet18');
  await expect(row).toContainText('CC0-1.0');
});

test('what does not fit is listed, and taken only when asked for', async ({ entered: page }) => {
  await visit(page, `#/checkpoints?import=${encodeURIComponent(join(folder, 'odd.safetensors'))}`);
  const dialog = page.getByRole('dialog');
  const missing = dialog.getByRole('row', { name: /layer2\.0\.bn1\.bias/ });
  await expect(missing).toContainText('missing');
  await expect(dialog.getByRole('row', { name: /projection/ })).toContainText('unexpected');
  await dialog.getByRole('button', { name: 'Unexpected 1' }).click();
  await expect(missing).toHaveCount(0);
  await dialog.getByRole('button', { name: /^All/ }).click();
  await dialog.getByLabel('Find a tensor').fill('layer4.1');
  await expect(dialog.getByRole('rowheader')).toHaveCount(10);
  await expectAccessible(page);

  await expect(dialog.getByRole('button', { name: 'Import' })).toBeDisabled();
  await dialog.getByLabel('Architecture').selectOption('resnet34');
  await expect(dialog.getByText('resnet34, width 8')).toBeVisible();
  await dialog.getByLabel('Architecture').selectOption('');
  await expect(dialog.getByText('resnet18, width 8')).toBeVisible();
  await dialog.getByLabel(/Take what matches/).check();
  await dialog.getByLabel('Name, as studies will call it').fill('whole net');
  await dialog.getByRole('button', { name: 'Import' }).click();
  await expect(dialog.getByText('there is a checkpoint "whole net" already')).toBeVisible();
  await dialog.getByLabel('Name, as studies will call it').fill('loose');
  await dialog.getByRole('button', { name: 'Import' }).click();
  const made = page.getByRole('dialog', { name: 'loose' });
  await expect(made.getByRole('link', { name: 'safetensors' })).toBeVisible();
  await expect(made.getByRole('link', { name: 'ONNX' })).toHaveCount(0);
});

test('weights that are not finite cannot be imported, and their tensor is named', async ({
  entered: page,
}) => {
  const file = join(folder, 'spoilt.safetensors');
  await visit(page, `#/checkpoints?import=${encodeURIComponent(file)}`);
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByText('Cannot be imported: "fc.bias" holds NaN at 1.')).toBeVisible();
  await expect(dialog.getByRole('button', { name: 'Import' })).toBeDisabled();
  await expect(dialog.getByLabel(/Take what matches/)).toHaveCount(0);
});

test('a file that holds no weights says so', async ({ entered: page }) => {
  await visit(page, `#/checkpoints?import=${encodeURIComponent(join(folder, 'notes.json'))}`);
  await expect(page.getByRole('alert')).toContainText('notes.json');
  await expect(page.getByRole('button', { name: /odd\.safetensors/ })).toBeVisible();
});

test('a checkpoint is exported and removed', async ({ entered: page }) => {
  await visit(page, '#/checkpoints');
  await page.getByRole('link', { name: 'whole net' }).click();
  const dialog = page.getByRole('dialog', { name: 'whole net' });
  const download = page.waitForEvent('download');
  await dialog.getByRole('link', { name: 'safetensors' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe('whole net.safetensors');
  expect(readFileSync(await file.path()).includes('layer4.1.bn2.running_var')).toBe(true);
  await dialog.getByRole('button', { name: 'Remove…' }).click();
  await dialog.getByRole('button', { name: 'Remove the checkpoint' }).click();
  await expect(page.getByRole('row', { name: /loose/ })).toBeVisible();
  await expect(page.getByRole('row', { name: /whole net/ })).toHaveCount(0);
});
