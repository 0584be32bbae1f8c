import type { Progress } from '../../../contract/jobs.ts';
import { count, duration } from './format.ts';

/** "1,200 of 9,000 images · 340 images/s · 23 s left", as far as it is known. */
export function progressText(progress: Progress): string {
  const { done, total, unit, rate, secondsLeft } = progress;
  const parts = [
    total === null ? `${count(done)} ${unit}` : `${count(done)} of ${count(total)} ${unit}`,
  ];
  if (rate !== null)
    parts.push(`${rate >= 10 ? count(Math.round(rate)) : rate.toFixed(1)} ${unit}/s`);
  if (secondsLeft !== null) parts.push(`${duration(secondsLeft)} left`);
  return parts.join(' · ');
}
