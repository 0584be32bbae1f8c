import { basename } from 'node:path';
import type { Page } from '@playwright/test';

/** Drops files or folders (absolute paths) on the middle of the page, as the desktop does. */
export async function dropPaths(page: Page, paths: readonly string[]): Promise<void> {
  // Electron's getPathForFile knows where a file came from; its double is told here.
  const known = Object.fromEntries(paths.map((path) => [basename(path), path]));
  await page.evaluate(`globalThis.electronDoublePaths = ${JSON.stringify(known)}`);
  const input = await page.context().newCDPSession(page);
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await input.send('Input.dispatchDragEvent', { type, x: 100, y: 100, data });
  }
  await input.detach();
}
