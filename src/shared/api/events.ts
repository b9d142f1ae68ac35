/** What goes out without being asked for. */
import type { Progress } from '../wire/messages.ts';

/** Ids only: whoever hears of a change asks for what it may see. */
export interface VaultEvent {
  readonly event: 'vault.locked' | 'vault.unlocked' | 'key.changed' | 'alias.changed' | 'secret.changed' | 'trail.appended' | 'progress' | 'door.changed' | 'client.changed' | 'settings.changed' | 'approval.asked';
  readonly id?: string;
  readonly progress?: Progress;
}
