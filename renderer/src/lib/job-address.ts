import type { Job } from '../../../contract/jobs.ts';
import { formatHash } from './route.ts';

/** The page a job is about or led to; null while there is none. */
export function jobAddress(job: Job): string | null {
  if (job.kind === 'study' || job.kind === 'report') return formatHash(['studies', job.subject]);
  if (job.kind === 'scan' || job.result === null) return null;
  if (job.kind === 'trust') return formatHash(['data', job.subject, 'trust']);
  if (job.kind === 'map') return formatHash(['data', job.subject, 'map'], { map: job.result });
  if (job.kind === 'suspects') {
    return formatHash(['data', job.subject, 'suspects'], { report: job.result });
  }
  if (job.kind === 'zoo') return formatHash(['checkpoints'], { show: job.result });
  return formatHash(['data', job.result]);
}
