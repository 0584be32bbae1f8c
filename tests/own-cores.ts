/**
 * Each of the two workers, and all that it starts, keeps to its own half of the cores: networks as small
 * as those of tests lose a fifth of the time to threads that wait for a core that another worker has.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const WORKERS = 2;

/** `0-2,5` as numbers. */
function coresOf(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
}

if (process.platform === 'linux') {
  const status = readFileSync('/proc/self/status', 'utf8');
  const all = coresOf(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? '0');
  const worker = Number(process.env.VITEST_POOL_ID ?? 1);
  const own = all.filter((_, at) => at % WORKERS === worker % WORKERS);
  if (all.length >= WORKERS) spawnSync('taskset', ['-acp', own.join(), String(process.pid)]);
}
