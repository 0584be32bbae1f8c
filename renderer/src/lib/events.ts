import type { HostEvent } from '../../../contract/api.ts';

type Listener = (event: HostEvent) => void;
const listeners = new Set<Listener>();
const reconnected = new Set<() => void>();

/** Opens the host's event stream; the browser reconnects by itself. */
export function openEvents(): void {
  const source = new EventSource('/api/events');
  let opened = false;
  source.onopen = () => {
    if (opened) for (const listener of reconnected) listener();
    opened = true;
  };
  source.onmessage = (message: MessageEvent<string>) => {
    const event = JSON.parse(message.data) as HostEvent;
    for (const listener of listeners) listener(event);
  };
}

/**
 * Hears every host event until the returned function is called. `onGap` is called when events may
 * have been missed (the connection was lost and came back).
 */
export function onEvent(listener: Listener, onGap?: () => void): () => void {
  listeners.add(listener);
  if (onGap) reconnected.add(onGap);
  return () => {
    listeners.delete(listener);
    if (onGap) reconnected.delete(onGap);
  };
}
