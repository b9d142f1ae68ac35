/** What this door hands to the one path as evidence. */
import type { Evidence } from '../../kernel/request.ts';

export type Signed = Extract<Evidence, { door: 'aws' }>['signed'];
