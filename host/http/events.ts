import type { HostEvent } from '../../contract/api.ts';
import type { EventBus } from '../context.ts';

const HEARTBEAT_MS = 15_000;
/** A reader this far behind is cut off; EventSource then comes back and reads the state anew. */
const BACKLOG_BYTES = 1_000_000;

/** A stream of server-sent events that can be ended from this side. */
export interface EventStream {
  body: ReadableStream<Uint8Array>;
  end(): void;
}

/**
 * The bus as server-sent events (`data: <HostEvent as JSON>`), with a comment as heartbeat.
 * The subscription ends with the stream, whoever ends it; `ended` is then called, once.
 */
export function eventStream(events: EventBus, ended: () => void): EventStream {
  const encoder = new TextEncoder();
  let finish = (): void => undefined;
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const send = (text: string): void => {
          if ((controller.desiredSize ?? 0) <= 0) finish();
          else controller.enqueue(encoder.encode(text));
        };
        const unsubscribe = events.subscribe((event: HostEvent) =>
          send(`data: ${JSON.stringify(event)}\n\n`),
        );
        const heartbeat = setInterval(() => send(': heartbeat\n\n'), HEARTBEAT_MS);
        finish = () => {
          finish = () => undefined;
          clearInterval(heartbeat);
          unsubscribe();
          try {
            controller.close();
          } catch {
            // The reader has gone first; there is nothing left to close.
          }
          ended();
        };
        send('retry: 1000\n\n');
      },
      cancel: () => finish(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: BACKLOG_BYTES }),
  );
  return { body, end: () => finish() };
}
