import type { HostEvent } from '../contract/api.ts';
import type { EventBus } from './context.ts';

/** An EventBus in memory. A listener that throws is reported on stderr and hurts nobody else. */
export function createEventBus(): EventBus {
  const listeners = new Set<(event: HostEvent) => void>();
  return {
    emit(event) {
      for (const listener of [...listeners]) {
        try {
          listener(event);
        } catch (error) {
          console.error('an event listener failed:', error);
        }
      }
    },
    subscribe(listener) {
      const own = (event: HostEvent): void => listener(event);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
  };
}
