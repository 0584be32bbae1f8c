import type { DeviceReport, SelfTest } from '../../../contract/devices.ts';

/** What a device's state is called, and in which tone. */
export const STATES: Record<DeviceReport['state'], { text: string; tone: string }> = {
  ready: { text: 'passes', tone: 'good' },
  missing: { text: 'not there', tone: 'warn' },
  failed: { text: 'failed', tone: 'bad' },
  unsupported: { text: 'not on this system', tone: '' },
};

/** The numbers of a self-test: "195 ms a step · differs by 4.1e-6 (up to 0.005 passes)". */
export function selfTestText({ milliseconds, difference, tolerance }: SelfTest): string {
  const speed = milliseconds === null ? [] : [`${shown(milliseconds)} ms a step`];
  const gap = difference === null ? 'is not a number' : `differs by ${difference.toExponential(1)}`;
  return [...speed, `${gap} (up to ${tolerance} passes)`].join(' · ');
}

function shown(milliseconds: number): string {
  return milliseconds < 10 ? milliseconds.toFixed(1) : String(Math.round(milliseconds));
}

/** The command that a way out names between backquotes, if it names one. */
export function commandIn(wayOut: string): string | null {
  return /`([^`]+)`/.exec(wayOut)?.[1] ?? null;
}
