import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { RandomState } from '../../engine/random/random-state.ts';
import { expect, test } from './support/host.ts';
import { expectAccessible, visit } from './support/pages.ts';

// Whose features are looked at first depends on what else was imported.
test.use({ home: 'suspects' });

const folder = mkdtempSync(join(tmpdir(), 'carryover-suspects-'));
test.afterAll(() => rmSync(folder, { recursive: true }));

/** 48 noisy pictures with the findings `left` and `right` (that half is bright); 5 is wrong about `left`. */
async function draw(): Promise<string> {
  const root = join(folder, 'halves');
  mkdirSync(root);
  const random = new RandomState(3);
  const rows = ['path,left,right'];
  for (let n = 0; n < 48; n += 1) {
    const [left, right] = [n % 2 === 0, n % 3 === 0];
    const pixels = Uint8Array.from({ length: 32 * 32 }, (_, at) => {
      const bright = at % 32 < 16 ? left : right;
      return (bright ? 140 : 60) + random.randint(0, 60);
    });
    const raw = { width: 32, height: 32, channels: 1 } as const;
    writeFileSync(join(root, `${n}.png`), await sharp(pixels, { raw }).png().toBuffer());
    rows.push(`${n}.png,${Number(left !== (n === 5))},${n === 7 ? -1 : Number(right)}`);
  }
  writeFileSync(join(root, 'labels.csv'), `${rows.join('\n')}\n`);
  return root;
}

test('a planted error in one finding is found, set right, and taken back', async ({
  entered: page,
}) => {
  await visit(page, `#/data?import=${encodeURIComponent(await draw())}`);
  await page.getByRole('button', { name: 'Look at every image' }).click();
  await page.getByRole('button', { name: 'Import 48 images' }).click({ timeout: 60_000 });
  await page.getByRole('link', { name: 'Suspects', exact: true }).click();
  await expect(page.getByLabel('Finding').locator('option')).toHaveText(['left', 'right']);
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Look for label errors' }).click();
  const wall = page.getByRole('listbox', { name: 'Suspects, 1' });
  await expect(wall.getByRole('option')).toContainText('present → absent', { timeout: 120_000 });
  await expectAccessible(page);
  const panel = page.getByRole('complementary', { name: 'Suspect' });
  await expect(panel).toContainText('5.png');
  await panel.getByRole('button', { name: 'Set to absent' }).click();
  await expect(panel).toContainText('is absent now');
  await page.keyboard.press('u');
  await expect(wall.locator('.verdict')).toHaveCount(0);
  await wall.focus();
  await page.keyboard.press('k');
  await expect(wall.locator('.verdict')).toHaveText('kept');

  await page.getByText('New search').click();
  await page.getByLabel('Finding').selectOption('right');
  await page.getByRole('button', { name: 'Look for label errors' }).click();
  await expect(page.getByText('left out: right is uncertain on 1 image')).toBeVisible({
    timeout: 120_000,
  });
  await expect(page.getByText('No suspects')).toBeVisible();
});
