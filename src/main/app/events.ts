/** The vault's events, to whoever listens: ids only. A listener that throws does not keep the others from hearing. */
import type { VaultEvent } from '../../shared/api/events.ts';

export interface Events {
  emit(event: VaultEvent): void;
  subscribe(listener: (event: VaultEvent) => void): () => void;
}

export function createEvents(fault: (error: unknown) => void): Events {
  const listeners = new Set<(event: VaultEvent) => void>();
  return {
    emit(event) {
      for (const listener of [...listeners]) {
        try {
          listener(event);
        } catch (error) {
          fault(error);
        }
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
