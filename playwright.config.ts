import { spawnSync } from 'node:child_process';
import { defineConfig } from '@playwright/test';

/** The Chromium to test with: CARRYOVER_CHROMIUM (scripts/run.mjs sets it), else the system's. */
function chromium(): string {
  if (process.env['CARRYOVER_CHROMIUM']) return process.env['CARRYOVER_CHROMIUM'];
  const found = spawnSync('which', ['chromium'], { encoding: 'utf8' });
  if (found.status === 0) return found.stdout.trim();
  throw new Error('no Chromium: run `npm run test:e2e`, which finds or installs one');
}

const offline = [
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export default defineConfig({
  testDir: 'tests/e2e',
  outputDir: 'test-results',
  globalSetup: './tests/e2e/support/samples.ts',
  workers: 2,
  timeout: 300_000,
  expect: { timeout: 30_000 },
  reporter: [['list']],
  forbidOnly: process.env['CI'] !== undefined,
  use: {
    actionTimeout: 60_000,
    viewport: { width: 1280, height: 800 },
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: chromium(),
      // One process for all pages: a sixth less of the processor time than one for each.
      args: [
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        '--renderer-process-limit=1',
        ...offline,
      ],
    },
  },
});
