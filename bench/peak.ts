import { readFileSync } from 'node:fs';

/** The most bytes that this process had in memory at once. */
export function peakBytes(): number {
  if (process.platform === 'linux') {
    const [, kibibytes] = /^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return Number(kibibytes) * 1024;
  }
  return process.resourceUsage().maxRSS * 1024;
}
