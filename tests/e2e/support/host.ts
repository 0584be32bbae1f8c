import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test as base, expect, type Page } from '@playwright/test';
import { drawImages } from './drawings.ts';
import { sampleFolder, type SampleName } from './samples.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

interface Host {
  /** Address with the token of this start. */
  url: string;
  /** The folder that the option `pictures` asks for. */
  images: string;
}

/**
 * `drawn`: two domains, three classes, thirty images each, drawn on the spot.
 * `emoji-domains`, `icon-domains`: the sample sets, 4,260 and over 9,000 images.
 */
type Pictures = 'drawn' | SampleName;

async function pictures(kind: Pictures, folder: string): Promise<string> {
  if (kind !== 'drawn') return sampleFolder(kind);
  const images = join(folder, 'shapes');
  await drawImages(images);
  return images;
}

/** Starts `carryover serve` on a home of its own and returns the address it prints. */
async function serve(home: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(
    process.execPath,
    [join(ROOT, 'cli', 'carryover.ts'), 'serve', '--home', home],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  // A worker that is ended early takes its host along.
  process.once('exit', () => child.kill('SIGTERM'));
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('http://')) return { child, url: line };
  }
  throw new Error('carryover serve ended without an address');
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

/** The real host with a real database, shared by the tests of a worker; `page` has entered it. */
export const test = base.extend<
  { entered: Page },
  { host: Host; pictures: Pictures; home: string }
>({
  pictures: ['drawn', { option: true, scope: 'worker' }],
  // Tests of another name have a workbench of their own.
  home: ['home', { option: true, scope: 'worker' }],
  host: [
    async ({ pictures: kind, home }, use) => {
      const folder = mkdtempSync(join(tmpdir(), 'carryover-e2e-'));
      const images = await pictures(kind, folder);
      const { child, url } = await serve(join(folder, home));
      await use({ url, images });
      await stop(child);
      rmSync(folder, { recursive: true });
    },
    { scope: 'worker', timeout: 240_000 },
  ],
  entered: async ({ page, host }, use) => {
    const troubles: string[] = [];
    page.on('console', (message) => {
      // The API answers failures with their HTTP status, which the browser reports by itself.
      const answered = message.location().url.includes('/api/');
      if (message.type() === 'error' && !answered) troubles.push(message.text());
    });
    page.on('pageerror', (error) => troubles.push(error.message));
    await page.goto(host.url);
    await use(page);
    // A content-policy violation is a console error, too.
    expect(troubles, 'errors in the console').toEqual([]);
  },
});

export { expect };
