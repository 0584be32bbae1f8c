// Runs every test: vitest (unit, integration, conformance, faults, shell), then the browser tests.
// Ends with one line of totals; skipped tests are listed by name.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './setup.mjs';

const folder = mkdtempSync(join(tmpdir(), 'carryover-test-'));
const totals = { passed: 0, failed: 0, skipped: [] };

function run(args, env = {}) {
  const done = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  return done.status ?? 1;
}

function report(file) {
  try {
    return JSON.parse(readFileSync(join(folder, file), 'utf8'));
  } catch {
    return null;
  }
}

function vitest() {
  const status = run([
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=dot',
    '--reporter=json',
    `--outputFile.json=${join(folder, 'vitest.json')}`,
  ]);
  const found = report('vitest.json');
  for (const test of found?.testResults.flatMap((file) => file.assertionResults) ?? []) {
    if (test.status === 'passed') totals.passed += 1;
    else if (test.status === 'failed') totals.failed += 1;
    else totals.skipped.push(test.fullName);
  }
  return status;
}

function browser() {
  const args = ['node_modules/@playwright/test/cli.js', 'test', '--reporter=list,json'];
  const status = run(args, { PLAYWRIGHT_JSON_OUTPUT_FILE: join(folder, 'browser.json') });
  const stats = report('browser.json')?.stats;
  totals.passed += stats?.expected ?? 0;
  totals.failed += (stats?.unexpected ?? 0) + (stats?.flaky ?? 0);
  for (const suite of report('browser.json')?.suites ?? []) collectSkipped(suite);
  return status;
}

function collectSkipped(suite) {
  for (const spec of suite.specs ?? []) {
    if (spec.tests.some((test) => test.status === 'skipped')) totals.skipped.push(spec.title);
  }
  for (const inner of suite.suites ?? []) collectSkipped(inner);
}

const statuses = [vitest(), browser()];
rmSync(folder, { recursive: true, force: true });
for (const name of totals.skipped) console.log(`skipped: ${name}`);
console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped.length} skipped`);
process.exit(statuses.some((status) => status !== 0) || totals.passed === 0 ? 1 : 0);
