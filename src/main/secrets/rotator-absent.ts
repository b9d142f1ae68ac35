/** The rotator of a program that has no way out: every step says so, and nothing is set anywhere. */
import type { Rotator, RotatorOutcome } from './rotator-port.ts';

const outcome: RotatorOutcome = { ok: false, failure: { code: 'NotAvailable', message: 'this version rotates nothing outside of the vault; use the rotator `generic`' }, connections: [] };
const refuse = (): Promise<RotatorOutcome> => Promise.resolve(outcome);

export const absentRotator: Rotator = { set: refuse, test: refuse, finish: refuse, check: refuse, invoke: refuse };
