import { request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { describe, expect, test, vi } from 'vitest';
import type { HostEvent } from '../../contract/api.ts';
import { createEventBus } from '../../host/events.ts';
import { eventStream } from '../../host/http/events.ts';
import type { TestServer } from './http-support.ts';
import { openServer } from './http-support.ts';

/** Milliseconds until a thing that must happen counts as not happening. */
const PATIENCE = 30_000;

interface Listening {
  request: ClientRequest;
  response: IncomingMessage;
  events: HostEvent[];
  ended: Promise<void>;
}

function listen({ port, cookie }: TestServer): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path: '/api/events', headers: { cookie } });
    sent.once('error', reject);
    sent.once('response', (response: IncomingMessage) => {
      const events: HostEvent[] = [];
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8');
        const parts = text.split('\n\n');
        text = parts.pop() ?? '';
        for (const part of parts) {
          if (part.startsWith('data: ')) events.push(JSON.parse(part.slice(6)) as HostEvent);
        }
      });
      response.on('error', () => undefined);
      const ended = new Promise<void>((end) => response.once('close', () => end()));
      resolve({ request: sent, response, events, ended });
    });
    sent.end();
  });
}

/** Counts the live subscriptions of a bus. */
function countSubscriptions({ context }: TestServer): () => number {
  let live = 0;
  const { subscribe } = context.events;
  context.events.subscribe = (listener) => {
    const unsubscribe = subscribe(listener);
    live++;
    return () => {
      live--;
      unsubscribe();
    };
  };
  return () => live;
}

describe('GET /api/events', () => {
  test('delivers every event in order to every listener', async () => {
    const server = await openServer();
    const [first, second] = [await listen(server), await listen(server)];
    expect(first.response.headers['content-type']).toContain('text/event-stream');
    expect(first.response.headers['content-security-policy']).toContain("default-src 'none'");
    const path = '/a folder\nwith "odd" names 🙂';
    const started = await server.call('datasets.scan', { path });
    if (!started.ok) throw new Error(started.error.message);
    await server.context.jobs.wait(started.value.id);
    server.context.events.emit({ type: 'datasets' });
    for (const { events } of [first, second]) {
      await vi.waitFor(() => expect(events.at(-1)).toEqual({ type: 'datasets' }), PATIENCE);
      expect(events[0]).toMatchObject({ type: 'job', job: { kind: 'scan' } });
    }
    expect(second.events).toEqual(first.events);
    first.request.destroy();
    second.request.destroy();
  });

  test('a listener that leaves is unsubscribed', async () => {
    const server = await openServer();
    const live = countSubscriptions(server);
    const leaving = await listen(server);
    const staying = await listen(server);
    expect(live()).toBe(2);
    leaving.request.destroy();
    await vi.waitFor(() => expect(live()).toBe(1), PATIENCE);
    server.context.events.emit({ type: 'datasets' });
    await vi.waitFor(() => expect(staying.events).toHaveLength(1), PATIENCE);
    staying.request.destroy();
    await vi.waitFor(() => expect(live()).toBe(0), PATIENCE);
  });

  test('closing the server ends its streams', async () => {
    const server = await openServer();
    const live = countSubscriptions(server);
    const listening = await listen(server);
    await server.close();
    await listening.ended;
    expect(live()).toBe(0);
  });
});

describe('eventStream', () => {
  test('cuts off a reader that does not read, and nobody else', async () => {
    const bus = createEventBus();
    let cut = 0;
    const lazy = eventStream(bus, () => cut++);
    const eager = eventStream(bus, () => undefined);
    const reader = eager.body.getReader();
    const job = { type: 'datasets', padding: 'x'.repeat(10_000) } as unknown as HostEvent;
    await reader.read();
    for (let i = 0; i < 150; i++) {
      bus.emit(job);
      expect((await reader.read()).value?.length).toBeGreaterThan(10_000);
    }
    expect(cut).toBe(1);
    let bytes = 0;
    for await (const chunk of lazy.body) bytes += chunk.length;
    expect(bytes).toBeLessThan(1_100_000);
    eager.end();
    expect((await reader.read()).done).toBe(true);
  });

  test('sends a heartbeat', async () => {
    vi.useFakeTimers();
    try {
      const stream = eventStream(createEventBus(), () => undefined);
      const reader = stream.body.getReader();
      await reader.read();
      const next = reader.read();
      vi.advanceTimersByTime(15_000);
      expect(new TextDecoder().decode((await next).value)).toBe(': heartbeat\n\n');
      stream.end();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
