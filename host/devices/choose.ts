import type { DeviceId, DeviceReport } from '../../contract/devices.ts';

/** The fastest device that passed its self-test; the CPU where none was timed. */
export function fastest(reports: readonly DeviceReport[]): { id: DeviceId; why: string } {
  const timed = reports
    .flatMap((report) => {
      const milliseconds = report.state === 'ready' ? report.selfTest?.milliseconds : null;
      return typeof milliseconds === 'number' ? [{ ...report, milliseconds }] : [];
    })
    .sort((a, b) => a.milliseconds - b.milliseconds);
  const [best, second] = timed;
  if (!best) return { id: 'cpu', why: 'no other device passed its self-test' };
  const took = `${showMilliseconds(best.milliseconds)} a step of the test network`;
  const slow = reports.some(({ id, state }) => state === 'ready' && id !== best.id);
  const why = second
    ? `fastest of those that passed: ${took}, ${second.title} ${showMilliseconds(second.milliseconds)}`
    : `the only one that passed${slow ? ' and was fast enough to be timed' : ''}: ${took}`;
  return { id: best.id, why };
}

function showMilliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
