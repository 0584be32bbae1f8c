import { join } from 'node:path';
import { expect, test } from './support/host.ts';
import { expectAccessible, selectedTile, tiles, visit } from './support/pages.ts';

test.describe.configure({ mode: 'serial' });

const STUDY = 'outlined after filled';

test('a folder is imported by keyboard, after a dry run that says what is in it', async ({
  entered: page,
  host,
}) => {
  await expect(page.getByText('No data sets yet')).toBeVisible();
  await page.getByRole('link', { name: 'Import images' }).first().focus();
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Path of the folder or file')).toBeFocused();
  await page.keyboard.insertText(host.images);
  await page.keyboard.press('Enter');

  const best = page.getByRole('radio', { name: /^Folders: domain \/ class \/ image/ });
  await expect(best).toBeChecked();
  await expect(page.getByText('180 images, 3 classes, 2 domains')).toBeVisible();
  await page.getByRole('button', { name: 'Look at every image' }).press('Enter');
  const dialog = page.getByRole('dialog', { name: 'What would be imported' });
  await expect(dialog.getByText('folders: domain / class / image')).toBeVisible();
  const row = dialog.getByRole('row', { name: 'circle' });
  await expect(row.getByRole('cell')).toHaveText(['30', '30', '60']);
  await expectAccessible(page);

  await dialog.getByLabel('Name').fill('shapes');
  await dialog.getByRole('button', { name: 'Import 180 images' }).press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'shapes' })).toBeVisible();
  await expect(page.getByText('180 images')).toBeVisible();
});

test('the grid is walked by keyboard, filtered by mouse, and an image shows its shuffle', async ({
  entered: page,
}) => {
  await page.getByRole('link', { name: /shapes/ }).click();
  const grid = page.getByRole('listbox');
  // Keys do nothing before the first images are there.
  await expect(grid.getByRole('option').first()).toBeVisible();
  await grid.focus();
  await page.keyboard.press('ArrowRight');
  await expect(selectedTile(page)).toHaveAttribute('aria-posinset', '1');
  await page.keyboard.press('ArrowRight');
  await expect(selectedTile(page)).toHaveAttribute('aria-posinset', '2');
  await page.keyboard.press('End');
  await expect(selectedTile(page)).toHaveAttribute('aria-posinset', '180');
  await page.keyboard.press('Home');
  await expect(selectedTile(page)).toHaveAttribute('aria-posinset', '1');

  await page.getByRole('checkbox', { name: 'outlined 90' }).check();
  await page.getByRole('checkbox', { name: 'triangle 30' }).check();
  await expect(page.getByText('30 of 180 images')).toBeVisible();
  await page.getByLabel('Search paths').fill('triangle 7');
  await expect(page.getByText('1 of 180 images')).toBeVisible();
  await tiles(page).first().click();
  const image = page.getByRole('complementary', { name: 'Image' });
  await expect(image.getByText('outlined', { exact: true })).toBeVisible();
  await expect(image.getByText(join('outlined', 'triangle', 'triangle 7.png'))).toBeVisible();

  const slider = image.getByRole('slider', { name: 'Block size' });
  await slider.focus();
  await page.keyboard.press('End');
  const shuffled = image.getByRole('img', { name: 'Shuffled: pixels and channels' });
  await expect(shuffled).toHaveJSProperty('naturalWidth', 96);
  await page.keyboard.press('Home');
  await expect(image.getByText('one block, nothing moves')).toBeVisible();
  await page.keyboard.press('ArrowRight');
  await expect(image.getByText('48 px blocks: seed 0 leaves all 4 in their places')).toBeVisible();
  await image.getByLabel('Seed').fill('1');
  await expect(image.getByText('48 px blocks, 4 of them')).toBeVisible();
});

test('a link opens the same view again', async ({ entered: page, host, context }) => {
  await page.getByRole('link', { name: /shapes/ }).click();
  await page.getByRole('checkbox', { name: 'square 60' }).check();
  await expect(page.getByText('60 of 180 images')).toBeVisible();
  await page.getByRole('listbox').focus();
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key);
  const path = join('filled', 'square', 'square 10.png');
  const image = { name: 'Image' };
  await expect(page.getByRole('complementary', image)).toContainText(path);
  const address = page.url();
  const other = await context.newPage();
  await other.goto(host.url);
  await other.goto(address);
  await expect(other.getByText('60 of 180 images')).toBeVisible();
  await expect(selectedTile(other)).toHaveAttribute('aria-posinset', '3');
  await expect(other.getByRole('complementary', image)).toContainText(path);
});

test('a wrong study file is refused with its line and the nearest key', async ({
  entered: page,
}) => {
  await visit(page, '#/studies/new');
  await expect(page.getByText('training images', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'YAML' }).click();
  const editor = page.getByLabel('Study file (YAML)');
  const yaml = await editor.inputValue();
  await editor.fill(yaml.replace('epochs:', 'epoch:'));
  const plan = page.getByRole('complementary', { name: 'Plan' });
  await expect(plan.getByText('Did you mean epochs?')).toBeVisible();
  await expect(plan.getByText(/line \d+/)).toBeVisible();
  await expect(plan.getByRole('button', { name: 'Create and start' })).toBeDisabled();
  await editor.fill(yaml);
  await expect(plan.getByRole('button', { name: 'Create and start' })).toBeEnabled();
});

test('what is changed in the YAML is in the form afterwards, and the other way round', async ({
  entered: page,
}) => {
  await visit(page, '#/studies/new');
  await expect(page.getByLabel('Name')).toHaveValue(STUDY);
  await page.getByLabel('Epochs', { exact: true }).fill('7');
  await page.getByRole('button', { name: 'YAML' }).click();
  const editor = page.getByLabel('Study file (YAML)');
  const yaml = await editor.inputValue();
  expect(yaml).toContain('epochs: 7');
  const tuned = yaml
    .replace('epochs: 7', 'epochs: 9\n  fine-tuning: { freeze-to: layer2, rate-factor: 2.6 }')
    .replace('kind: stratified-grouped', 'kind: stratified-grouped, validation: 0.2');
  await editor.fill(`${tuned}description: kept\n`);
  await page.getByRole('button', { name: 'Form' }).click();
  await expect(page.getByLabel('Epochs', { exact: true })).toHaveValue('9');
  await expect(page.getByLabel('Validation, of training')).toHaveValue('0.2');
  await page.getByText('Fine-tuning', { exact: true }).click();
  await expect(page.getByLabel('Freeze up to')).toHaveValue('layer2');
  await expect(page.getByText(/shown there only: description/)).toBeVisible();
  await expect(page.getByText('validation', { exact: true })).toBeVisible();
  await expectAccessible(page);

  await page.getByLabel('Freeze up to').selectOption('layer3');
  await page.getByRole('button', { name: 'YAML' }).click();
  await expect(editor).toHaveValue(/freeze-to: layer3/);
  await expect(editor).toHaveValue(/description: kept/);

  const other = (await editor.inputValue()).replace('RI-T:', 'cold:');
  await editor.fill(other);
  await page.getByRole('button', { name: 'Form' }).click();
  await expect(page.getByText(/it would change arms.RI-T/)).toBeVisible();
  await page.getByRole('button', { name: 'Stay with YAML' }).click();
  await expect(editor).toHaveValue(other);
});

test('a field that is wrong says so where it is, and opens what is folded', async ({
  entered: page,
}) => {
  await visit(page, '#/studies/new');
  await expect(page.getByText('training images', { exact: true })).toBeVisible();
  await page.getByText('Fine-tuning', { exact: true }).click();
  await page.getByLabel('Stop early after, epochs').fill('2');
  const create = page.getByRole('button', { name: 'Create and start' });
  await expect(create).toBeDisabled();
  await expect(page.getByText(/early stopping needs validation images/).first()).toBeVisible();
  await page.getByLabel('Validation, of training').fill('0.2');
  await expect(create).toBeEnabled();
});

test('a learning rate is searched for, plotted, and taken over', async ({ entered: page }) => {
  test.setTimeout(300_000);
  await visit(page, '#/studies/new');
  await expect(page.getByText('training images', { exact: true })).toBeVisible();
  await page.getByLabel('Architecture').selectOption('resnet18');
  await page.getByLabel('Width').fill('8');
  await page.getByLabel('Image size').fill('32');
  await page.getByRole('button', { name: 'Find a learning rate' }).click();
  const dialog = page.getByRole('dialog', { name: 'Find a learning rate' });
  await dialog.getByLabel('Arm').selectOption('P-T');
  await dialog.getByRole('button', { name: 'Search' }).click();
  await expect(dialog.getByText(/is not trained yet/)).toBeVisible();
  await dialog.getByLabel('Arm').selectOption('RI-T');
  await dialog.getByRole('button', { name: 'Search' }).click();
  const plot = dialog.getByRole('figure', { name: /Training loss of RI-T/ });
  await expect(plot).toBeVisible({ timeout: 120_000 });
  await expectAccessible(page);
  await plot.getByRole('button', { name: 'Table' }).click();
  await expect(plot.getByRole('columnheader', { name: 'Learning rate' })).toBeVisible();
  const use = dialog.getByRole('button', { name: /^Use / });
  const rate = /[\d.e-]+$/.exec((await use.textContent())?.trim() ?? '')?.[0] ?? '';
  await use.click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByLabel('Peak learning rate')).toHaveValue(rate);
});

test('a small study is made from the form, runs, and shows its results', async ({
  entered: page,
}) => {
  test.setTimeout(600_000);
  await visit(page, '#/studies/new');
  await expect(page.getByLabel('Name')).toHaveValue(STUDY);
  await page.getByLabel('Width').fill('4');
  await page.getByLabel('Image size').fill('32');
  await page.getByLabel('Epochs', { exact: true }).fill('3');
  await page.getByLabel('Pretraining epochs').fill('2');
  await page.getByLabel('Batch').fill('16');
  await page.getByRole('checkbox', { name: '8 px blocks' }).check();
  await expect(page.getByText('9 runs')).toBeVisible();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Create and start' }).click();

  await expect(page.getByRole('heading', { level: 1, name: STUDY })).toBeVisible();
  await expect(page.getByRole('progressbar').first()).toBeVisible();
  await expect(page.getByText('9 of 9 runs done')).toBeVisible({ timeout: 500_000 });
  await expect(page.getByRole('heading', { name: 'What the start gave' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Report' })).toBeVisible();
  const kinds = page.getByRole('rowheader', { name: 'P-T/RI-T' });
  await expect(kinds.first()).toBeVisible();

  const run = page.getByRole('row', { name: /P-T seed 0, no shuffle/ });
  await run.getByRole('button', { name: /^r[0-9a-f]/ }).click();
  const record = page.getByRole('dialog', { name: /^Run r/ });
  await expect(record.getByText('3 of 3 epochs')).toBeVisible();
  await expectAccessible(page);
  await record.getByRole('button', { name: 'Close' }).click();
  await expect(record).toHaveCount(0);

  const curves = page.getByRole('region', { name: 'Learning curves' });
  await curves.getByRole('button', { name: 'Training loss' }).click();
  await curves.getByRole('button', { name: 'Table' }).click();
  const numbers = curves.getByRole('group', { name: /Training loss over epochs/ });
  await expect(numbers.getByRole('row')).toHaveCount(4);
});

test('a study in progress is cancelled and started again', async ({ entered: page }) => {
  test.setTimeout(600_000);
  await visit(page, '#/studies/new');
  await expect(page.getByLabel('Name')).toHaveValue(STUDY);
  await page.getByLabel('Name').fill('cancelled once');
  await page.getByRole('checkbox', { name: 'filled' }).uncheck();
  await page.getByLabel('Width').fill('4');
  await page.getByLabel('Image size').fill('32');
  await page.getByLabel('Epochs', { exact: true }).fill('120');
  await page.getByLabel('Seeds', { exact: true }).fill('7');
  await expect(page.getByText('1 run', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Create and start' }).click();
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await expect(
    page.getByRole('main').getByText('cancelled', { exact: true }).first(),
  ).toBeVisible();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.getByText('1 of 1 runs done')).toBeVisible({ timeout: 500_000 });
});

test('a study in progress is paused and goes on', async ({ entered: page }) => {
  test.setTimeout(600_000);
  await visit(page, '#/studies/new');
  await expect(page.getByLabel('Name')).toHaveValue(STUDY);
  await page.getByLabel('Name').fill('paused once');
  await page.getByRole('checkbox', { name: 'filled' }).uncheck();
  await page.getByLabel('Width').fill('4');
  await page.getByLabel('Image size').fill('32');
  await page.getByLabel('Epochs', { exact: true }).fill('120');
  await page.getByLabel('Seeds', { exact: true }).fill('8');
  await expect(page.getByText('1 run', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Create and start' }).click();
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  const main = page.getByRole('main');
  await expect(main.getByText('paused', { exact: true }).first()).toBeVisible();
  await page.reload();
  await expect(main.getByText('paused', { exact: true }).first()).toBeVisible();
  await page.getByRole('button', { name: 'Resume', exact: true }).click();
  await expect(page.getByText('1 of 1 runs done')).toBeVisible({ timeout: 500_000 });
});

test('a training that diverges links the images on which it did', async ({ entered: page }) => {
  await visit(page, '#/studies/new');
  await expect(page.getByLabel('Name')).toHaveValue(STUDY);
  await page.getByLabel('Name').fill('diverged');
  await page.getByRole('checkbox', { name: 'filled' }).uncheck();
  await page.getByLabel('Width').fill('4');
  await page.getByLabel('Image size').fill('32');
  await page.getByLabel('Batch').fill('8');
  await page.getByLabel('Peak learning rate').fill('1e30');
  await page.getByLabel('Seeds', { exact: true }).fill('9');
  await expect(page.getByText('1 run', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Create and start' }).click();
  const run = page.getByRole('row', { name: /RI-T seed 9/ });
  await expect(run.getByText('failed')).toBeVisible({ timeout: 120_000 });
  await run.getByRole('button', { name: /^r[0-9a-f]/ }).click();
  const images = page.getByRole('dialog').getByRole('list', { name: 'Images it is about' });
  await expect(images.getByRole('link')).toHaveCount(8);
  await expectAccessible(page);
  const link = images.getByRole('link').first();
  const id = /\d+$/.exec(await link.innerText())?.[0];
  await link.click();
  await expect(page.getByRole('heading', { level: 1, name: 'shapes' })).toBeVisible();
  const image = page.getByRole('complementary', { name: 'Image' });
  await expect(image.getByRole('img').first()).toHaveAttribute('src', new RegExp(`/${id}[/?]`));
});

test('the images of a disagreement are opened from the table and stepped by arrow keys', async ({
  entered: page,
}) => {
  await visit(page, '#/studies');
  await page.getByRole('link', { name: STUDY }).click();
  const mixed = page.getByRole('row', { name: /P-T\/RI-T/ });
  await mixed.getByRole('link', { name: /^Compare/ }).click();

  const cells = page.getByRole('group', { name: 'Cells of the agreement' });
  await expect(cells.getByRole('button')).toHaveCount(5);
  const counts = await cells
    .getByRole('button')
    .evaluateAll((buttons) =>
      buttons.map((button) => Number(/([\d,]+) images/.exec(button.textContent)?.[1])),
    );
  expect(counts).toHaveLength(5);
  const heading = await page.getByRole('heading', { name: /test images/ }).innerText();
  expect(counts.reduce((sum, n) => sum + n, 0)).toBe(Number.parseInt(heading, 10));

  const most = counts.indexOf(Math.max(...counts));
  await cells.getByRole('button').nth(most).click();
  await expect(page.getByRole('listbox')).toHaveAccessibleName(
    `Images of the pair, ${counts[most]}`,
  );
  await page.getByRole('listbox').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  const detail = page.getByRole('region', { name: 'One image' });
  await expect(detail.getByText(`1 of ${counts[most]}`)).toBeVisible();
  for (const letter of ['A', 'B']) {
    const seen = detail.getByRole('img', { name: `What run ${letter} saw` });
    await expect(seen).toHaveJSProperty('naturalWidth', 32);
  }
  const first = page.url();
  await page.keyboard.press('ArrowRight');
  await expect(detail.getByText(`2 of ${counts[most]}`)).toBeVisible();
  expect(page.url()).not.toBe(first);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('listbox')).toBeVisible();
});

for (const theme of ['light', 'dark'] as const) {
  test(`every page is accessible in the ${theme} theme`, async ({ entered: page }, info) => {
    await page.emulateMedia({ colorScheme: theme });
    await expect(page.getByText('180')).toBeVisible();
    const look = async (name: string) => {
      await expectAccessible(page, theme === 'dark' ? ['color-contrast'] : undefined);
      await page.screenshot({ path: info.outputPath(`${name}.png`) });
    };
    await look('data');
    await page.getByRole('link', { name: /shapes/ }).click();
    await tiles(page).first().click();
    await expect(page.getByRole('img', { name: /^Shuffled/ })).toBeVisible();
    await look('data-set');
    await page.getByRole('button', { name: 'Enlarge' }).click();
    await look('image');
    await page.getByRole('button', { name: 'Data set', exact: true }).click();
    await page.getByRole('button', { name: 'Import report' }).click();
    await look('import-report');
    await visit(page, '#/data?import=choose');
    await expect(page.getByRole('dialog')).toBeVisible();
    await look('import');
    await visit(page, '#/studies');
    await page.getByRole('link', { name: STUDY }).waitFor();
    await look('studies');
    await page.getByRole('link', { name: STUDY }).click();
    await page.getByRole('heading', { name: 'Agreement of pairs' }).waitFor();
    await look('study');
    await visit(page, '#/studies/new');
    await expect(page.getByText('training images', { exact: true })).toBeVisible();
    const parts = ['Fine-tuning', 'Optimiser and loss', 'Preparation of images', 'Analyses'];
    for (const part of parts) {
      await page.getByText(part, { exact: true }).click();
    }
    await look('new-study');
    await visit(page, '#/compare');
    await tiles(page).first().click();
    await look('compare');
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'One image' }).waitFor();
    await look('compare-image');
    await page.keyboard.press('?');
    await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
    await look('keys');
  });
}
