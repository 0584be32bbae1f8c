import type { Database } from 'better-sqlite3';
import type { Handlers, RequestBody } from '../../contract/api.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { Job } from '../../contract/jobs.ts';
import type { TrustReport, TrustSpec } from '../../contract/trust.ts';
import { findAnalysis, getAnalysis, storeAnalysis } from '../analyses/store.ts';
import type { HostContext } from '../context.ts';
import { getSummary } from '../datasets/read.ts';
import { computeTrust, trustId, trustSpec } from './compute.ts';
import { REPORT_VERSION } from './report.ts';

type TrustHandlers = Pick<Handlers, Extract<keyof Handlers, `trust.${string}`>>;

/** Reports that are kept of a data set; a large one takes megabytes. */
const REPORTS_KEPT = 8;

export function trustHandlers(context: HostContext): TrustHandlers {
  const { db } = context;
  return {
    'trust.start': (body) => startTrust(context, body),
    'trust.get': ({ id }) => getReport(db, id),
    'trust.latest': ({ datasetId }) => latestReport(db, datasetId),
  };
}

/** A report by its id. Throws CarryoverError `not-found`, also where an earlier version made it. */
export function getReport(db: Database, id: string): TrustReport {
  const report = getAnalysis(db, 'trust', id).summary as TrustReport;
  if (report.version === REPORT_VERSION) return report;
  throw new CarryoverError('not-found', `trust report ${id} is of an earlier version`, {
    value: id,
    wayOut: 'compute it again',
  });
}

/** The newest report of the data set as it is now, or null. Throws CarryoverError `not-found`. */
export function latestReport(db: Database, datasetId: string): TrustReport | null {
  getSummary(db, datasetId);
  const reports = db
    .prepare<[string], { id: string; spec: string }>(
      `SELECT id, spec_json AS spec FROM dataset_analyses WHERE dataset_id = ? AND kind = 'trust'
       ORDER BY created_at DESC, id`,
    )
    .all(datasetId);
  const current = reports.find(
    ({ id, spec }) => id === trustId(db, datasetId, JSON.parse(spec) as TrustSpec),
  );
  return current ? getReport(db, current.id) : null;
}

function startTrust(context: HostContext, body: RequestBody<'trust.start'>): Job {
  const { datasetId } = body;
  const { name } = getSummary(context.db, datasetId);
  const title = `Look for what to distrust in ${name}`;
  return context.jobs.start({ kind: 'trust', title, subject: datasetId }, async (job) => {
    const spec = trustSpec(body);
    const known = trustId(context.db, datasetId, spec);
    if (findAnalysis(context.db, known)) return known;
    const { signal } = job;
    const task = { database: context.home.database, datasetId, spec };
    const report = await computeTrust(task, { signal, onProgress: job.progress.bind(job) });
    await storeReport(context, report);
    return report.id;
  });
}

async function storeReport(context: HostContext, report: TrustReport): Promise<void> {
  const { id, datasetId, spec } = report;
  await storeAnalysis(context, { id, datasetId, kind: 'trust', spec, summary: report });
  context.db
    .prepare(
      `DELETE FROM dataset_analyses WHERE id IN
         (SELECT id FROM dataset_analyses WHERE dataset_id = ? AND kind = 'trust'
          ORDER BY created_at DESC, id LIMIT -1 OFFSET ?)`,
    )
    .run(datasetId, REPORTS_KEPT);
}
