import AxeBuilder from '@axe-core/playwright';
import { expect, type Locator, type Page } from '@playwright/test';

/** The tiles of the image grid that are drawn now. */
export const tiles = (page: Page): Locator => page.getByRole('listbox').getByRole('option');

/** The tile that is marked as selected. */
export const selectedTile = (page: Page): Locator =>
  page.getByRole('listbox').getByRole('option', { selected: true });

/** Goes to a page of the workbench by its hash. */
export async function visit(page: Page, hash: string): Promise<void> {
  await page.goto(new URL(hash, page.url()).href);
}

/**
 * Fails with the rules and the elements that axe finds wrong on the page. `rules`: only those, for a
 * page that was looked at before and differs in what they are about.
 */
export async function expectAccessible(page: Page, rules?: string[]): Promise<void> {
  const axe = new AxeBuilder({ page });
  const { violations } = await (rules ? axe.withRules(rules) : axe).analyze();
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join('\n  ')}`,
  );
  expect(found).toEqual([]);
}
