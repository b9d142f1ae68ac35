/**
 * `--demo`: a throwaway vault with believable content, made through the one path like any other, for somebody to look at.
 *
 * Its folder is the user's own, in the run-time directory (memory) where there is one, else in the temporary folder; it goes when the
 * process ends, and what a kill left goes when the next demo starts. Its password is known to everybody: nothing real belongs in it.
 */
import { join } from 'node:path';
import { DEMO_PASSWORD } from '../../shared/model/demo.ts';
import { instant } from '../../shared/model/ids.ts';
import type { Surroundings } from '../../shared/model/paths.ts';
import type { Clock } from '../platform/ports.ts';
import type { Program } from './compose.ts';
import { DEMO_KEYS, MAKING, USES } from './demo-content.ts';
import { ownCaller } from './own-caller.ts';
import { makeThrowaway } from './throwaway.ts';

const PREFIX = 'keystead-demo-';
const DAY = 24 * 60 * 60 * 1000;

export interface Demo {
  /** The vault's folder, not made yet. */
  readonly folder: string;
  /** Runs behind until the content is there, so that it is a day's work and not a second's. */
  readonly clock: Clock;
  /** Rejects with what an operation rejects with: then the demo is not worth showing. */
  fill(program: Program): Promise<void>;
  remove(): void;
}

export function startDemo({ env, tmp, uid }: Surroundings, clock: Clock): Demo {
  const own = makeThrowaway(env['XDG_RUNTIME_DIR'] ?? tmp, PREFIX);
  let behind = DAY;
  return {
    folder: join(own.folder, 'acme-dev'),
    clock: { ...clock, now: () => instant(clock.now() - behind) },
    async fill(program) {
      const call = ownCaller(program, uid);
      await call('vault:Create', { Password: Buffer.from(DEMO_PASSWORD).toString('base64'), Factors: 'password', RecoveryCode: true, Name: 'acme-dev' });
      const ids = new Map<string, string>();
      for (const { alias, input } of DEMO_KEYS) {
        const { KeyMetadata } = await call('kms:CreateKey', input);
        const id = (KeyMetadata as { KeyId: string }).KeyId;
        ids.set(alias, id);
        await call('kms:CreateAlias', { AliasName: `alias/${alias}`, TargetKeyId: id });
      }
      for (const { operation, input } of MAKING) await call(operation, input);
      const steps = USES(ids);
      for (const [at, { operation, input, refused }] of steps.entries()) {
        behind = Math.round(DAY * (1 - (at + 1) / (steps.length + 1)));
        if (refused === true) await call(operation, input).catch(() => undefined);
        else await call(operation, input);
      }
      for (const { alias, then } of DEMO_KEYS) if (then) await call(then.operation, { KeyId: ids.get(alias), ...then.input });
      behind = 0;
    },
    remove: own.remove,
  };
}
