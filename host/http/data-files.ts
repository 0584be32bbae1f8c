import type { HostContext } from '../context.ts';
import { dataTable } from '../data-tables.ts';

/**
 * `/data/<datasetId>/<name>`: a table of a data set as an attachment, streamed. Throws `not-found` (the data set, the table,
 * the report).
 */
export function dataResponse(
  context: HostContext,
  datasetId: string,
  name: string,
  report?: string,
): Response {
  const table = dataTable(context, datasetId, name, report);
  const type = name.endsWith('.csv') ? 'text/csv; charset=utf-8' : 'application/json';
  return new Response(streamOf(table), {
    headers: {
      'Content-Type': type,
      'Content-Disposition': `attachment; filename="${name}"`,
      'Cache-Control': 'no-store',
    },
  });
}

/** Text as bytes, made as it is read. */
function streamOf(pieces: Iterable<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const iterator = pieces[Symbol.iterator]();
  return new ReadableStream({
    pull(controller) {
      const { done, value } = iterator.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel: () => void iterator.return?.(),
  });
}
