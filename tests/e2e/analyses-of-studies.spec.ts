import { expect, test } from './support/host.ts';
import { expectAccessible, visit } from './support/pages.ts';

test.describe.configure({ mode: 'serial' });
test.use({ home: 'analyses-of-studies' });

const STUDY = 'analysed';

/** Two arms with two seeds, in seconds. */
const yaml = `name: ${STUDY}
pretraining:
  filled: { data: { set: shapes, domains: [filled] }, epochs: 1 }
data: { set: shapes, domain: outlined, split: { train: 0.5, test: 0.5 } }
architecture: { name: fixup-resnet10, width: 4, image: 16 }
arms:
  P-T: { init: { checkpoint: filled@last } }
  RI-T: { init: random }
seeds: [0, 1]
training: { epochs: 1, batch: 16, lr: { peak: 0.02 } }
analyses: [agreement, optimisation-speed]
claims:
  - claim: Weights move
    quantity: distance.P-T/start
    above: 0
`;

test('a study is made with analyses from the form, where options of its file stay', async ({
  entered: page,
  host,
}) => {
  await page.getByRole('link', { name: 'Import images' }).first().click();
  await page.getByLabel('Path of the folder or file').fill(host.images);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Look at every image' }).click();
  const dialog = page.getByRole('dialog', { name: 'What would be imported' });
  await dialog.getByLabel('Name').fill('shapes');
  await dialog.getByRole('button', { name: /^Import/ }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'shapes' })).toBeVisible();

  await visit(page, '#/studies/new');
  await page.getByRole('button', { name: 'YAML' }).click();
  const editor = page.getByLabel('Study file (YAML)');
  await editor.fill(yaml);
  await page.getByRole('button', { name: 'Form' }).click();
  await page.getByText('Analyses', { exact: true }).click();
  const box = page.getByRole('checkbox', { name: /^Distance/ });
  await expect(box).not.toBeChecked();
  await box.focus();
  await page.keyboard.press('Space');
  await expect(box).toBeChecked();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'YAML' }).click();
  await expect(editor).toHaveValue(/distance/);
  const asked = (await editor.inputValue()).replace(
    /analyses:[\s\S]*?(?=\n\w|$)/,
    'analyses: [agreement, optimisation-speed, { cka: { images: 64 } }, { distance: { head: included } }, shuffle-sweep]',
  );
  await editor.fill(asked);
  await page.getByRole('button', { name: 'Form' }).click();
  await page.getByText('Analyses', { exact: true }).click();
  await expect(page.getByRole('checkbox', { name: /^Distance \(with options\)/ })).toBeChecked();
  await page.getByRole('checkbox', { name: /^Features/ }).uncheck();
  await page.getByRole('button', { name: 'YAML' }).click();
  await expect(editor).toHaveValue(/head: included/);
  await expect(editor).not.toHaveValue(/cka/);
  await page.getByRole('button', { name: 'Create and start' }).click();
  await expect(page.getByRole('heading', { level: 1, name: STUDY })).toBeVisible();
  await expect(page.getByText('5 of 5 runs done')).toBeVisible({ timeout: 300_000 });
});

test('an analysis has figures that lead to runs, tables, exports and a scorecard', async ({
  entered: page,
}) => {
  test.setTimeout(300_000);
  await visit(page, '#/studies');
  await page.getByRole('link', { name: STUDY }).click();
  const section = page.getByRole('region', { name: 'Analyses' });
  const tab = section.getByRole('button', { name: 'Distance', exact: true });
  await tab.focus();
  await page.keyboard.press('Enter');
  await expect(tab).toHaveAttribute('aria-pressed', 'true');
  await expect(page).toHaveURL(/analysis=distance/);

  const figure = section.getByRole('figure').filter({ hasText: 'Distance by module' });
  await expect(figure.locator('svg.chart')).toBeVisible();
  const svg = page.waitForEvent('download');
  await figure.getByRole('button', { name: 'SVG' }).click();
  expect((await svg).suggestedFilename()).toBe('analysed-distance-by-module.svg');
  await expectAccessible(page);

  const pair = section.getByRole('link', { name: /^P-T 0, RI-T 1: / });
  await pair.focus();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/#\/compare\?a=r[0-9a-f]+&b=r[0-9a-f]+/);
  await page.goBack();
  await expect(tab).toHaveAttribute('aria-pressed', 'true');

  await section.getByRole('button', { name: 'Shuffles', exact: true }).click();
  await section
    .getByRole('link', { name: /^RI-T: / })
    .first()
    .click();
  const runs = page.getByRole('dialog', { name: 'Runs behind this number' });
  await expect(runs.getByRole('checkbox')).toHaveCount(2);
  await expectAccessible(page);
  for (const box of await runs.getByRole('checkbox').all()) await box.check();
  await runs.getByRole('link', { name: 'Compare the two' }).click();
  await expect(page).toHaveURL(/#\/compare\?a=r[0-9a-f]+&b=r[0-9a-f]+/);
  await page.goBack();
  await expect(runs).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(runs).toBeHidden();
  await tab.click();

  await section.getByText(/^Quantities that claims may name/).click();
  await expect(section.getByRole('cell', { name: 'distance.P-T/RI-T', exact: true })).toBeVisible();

  const card = page
    .locator('section')
    .filter({ has: page.getByRole('heading', { name: 'Scorecard' }) });
  await expect(card.getByRole('row', { name: /Weights move/ })).toContainText('above 0');
});
