/**
 * Steps 7 and 9: the intent before, the outcome after, on every exit. An allowlist of input fields is recorded, never a
 * redacted copy.
 */
import type { Operation } from '../../shared/api/operation.ts';
import type { VaultError } from '../../shared/model/errors.ts';
import type { Instant } from '../../shared/model/ids.ts';
import type { Position, TrailLog } from '../trail/port.ts';
import { encodeRecord, type TrailRecord } from '../trail/record.ts';
import type { Principal } from './authenticate.ts';
import type { Executed } from './handler.ts';
import type { Input } from './input.ts';
import type { Request } from './request.ts';
import type { Resource } from './resolve.ts';

/** One request's records. */
export interface JournalEntry {
  /** Why it went the way it went, in order; recorded with the outcome. */
  readonly reasons: string[];
  input(input: Input): void;
  /** A destination is recorded in place of the name that it was given by. */
  resource(resource: Resource, destination?: Resource): void;
  /** Durable when it resolves; undefined when this operation is not recorded or does not wait for that, or there is no trail yet. */
  intent(): Promise<Position | undefined>;
  /** The body of the outcome of a mutation that is committed under `epoch`. */
  success(epoch: number): Uint8Array;
  succeeded(executed: Executed): Promise<void>;
  failed(error: VaultError): Promise<void>;
}

export interface Journal {
  begin(request: Request, principal: Principal, operation: Operation | undefined): JournalEntry;
}

export interface JournalPorts {
  /** Undefined while there is no vault. Asked anew for each record: creating a vault makes its trail. */
  readonly trail: () => TrailLog | undefined;
  readonly now: () => Instant;
  /** For what is summed up with others, when it succeeds, in place of records of its own. Refusals and errors are recorded each. */
  readonly summed?: (request: Request, operation: Operation) => { readonly count: () => void } | undefined;
}

/** Operations whose records may use the trail's reserve on a full disk. */
const FROM_RESERVE: ReadonlySet<string> = new Set(['vault:Lock', 'vault:Stop', 'trail:VerifyTrail']);

/**
 * Lock always works: what lets go of the keys waits for no record of itself and fails with none. A trail that is broken, or a disk
 * that hangs, would otherwise keep the vault open against its owner.
 */
const NOT_HELD_UP: ReadonlySet<string> = new Set(['vault:Lock', 'vault:Stop']);

const LONGEST_NAME = 64;

export function createJournal({ trail, now, summed }: JournalPorts): Journal {
  return {
    begin(request, principal, operation) {
      const recorded = operation?.recorded !== false;
      // A name that is nobody's operation is the caller's text: shortened, and it can be nothing but text in a record.
      const common = { requestId: request.id, operation: request.operation.slice(0, LONGEST_NAME), door: request.door, principal: principal.id };
      const reserve = { reserve: FROM_RESERVE.has(request.operation) };
      const sum = operation && summed?.(request, operation);
      const waitsForTrail = !NOT_HELD_UP.has(request.operation);
      const reasons: string[] = [];
      let begun: Promise<void> | undefined;
      let audited: Input | undefined;
      let arn: string | undefined;
      let intentIndex: number | undefined;

      const body = (fields: Pick<TrailRecord, 'phase'> & Partial<TrailRecord>): Uint8Array =>
        encodeRecord({
          time: now(),
          ...common,
          ...(arn === undefined ? {} : { resource: arn }),
          ...(intentIndex === undefined ? {} : { intent: intentIndex }),
          ...fields,
        });
      const append = async (bytes: Uint8Array): Promise<Position | undefined> => {
        const written = recorded ? trail()?.append(bytes, reserve) : undefined;
        return waitsForTrail ? written : written?.catch(() => undefined);
      };

      return {
        reasons,
        input(input) {
          audited = operation && pick(input, operation.audited);
        },
        resource(resource, destination) {
          arn = resource.arn;
          const field = operation?.destination?.field;
          if (field !== undefined && destination?.arn !== undefined) audited = { ...audited, [field]: destination.arn };
        },
        async intent() {
          if (sum) return undefined;
          const written = append(body({ phase: 'intent', ...(audited ? { input: audited } : {}) }));
          begun = written.then(
            (position) => { intentIndex = position?.index; },
            () => undefined,
          );
          return waitsForTrail ? written : undefined;
        },
        success: (epoch) => body({ phase: 'outcome', result: 'ok', reasons, epoch }),
        async succeeded({ committed, reached }) {
          if (sum) {
            sum.count();
            return;
          }
          await begun;
          await append(committed?.outcome ?? body({ phase: 'outcome', result: 'ok', reasons, ...reached, ...(intentIndex === undefined && audited ? { input: audited } : {}) }));
          committed?.delivered();
        },
        async failed(error) {
          await begun;
          // What never came as far as an intent tells here what was asked for.
          await append(body({ phase: 'outcome', result: error.code, reasons, ...(intentIndex === undefined && audited ? { input: audited } : {}) }));
        },
      };
    },
  };
}

const pick = (input: Input, fields: readonly string[]): Input => Object.fromEntries(fields.flatMap((field) => (input[field] === undefined ? [] : [[field, input[field]]])));
