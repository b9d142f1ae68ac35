/**
 * The one path: a `Request` becomes a `Result` here and nowhere else.
 *
 * Defends against: an operation that runs without authentication, rules, policy, approval or a durable record; an answer
 * that leaves without its outcome on record; an error that carries more than its code and message.
 * Does not: know any operation, door or store; those are given.
 */
import { createHash } from 'node:crypto';
import { actionsOf, COMMON_ERRORS, type Operation } from '../../shared/api/operation.ts';
import type { VaultPhase } from '../../shared/api/vault.ts';
import { VaultError, type ErrorCode } from '../../shared/model/errors.ts';
import { isRegion, type Instant } from '../../shared/model/ids.ts';
import { disposeSecrets } from '../../shared/model/secret-bytes.ts';
import { principalPolicy } from '../policy/defaults.ts';
import { decide, type Decision } from '../policy/decide.ts';
import { firstVerdict, type Facts, type Rule } from '../rules/rules.ts';
import type { Approvals } from './approvals.ts';
import type { Nobody, Principal } from './authenticate.ts';
import type { Call, Execute, Registered } from './handler.ts';
import { parseInput, type Input } from './input.ts';
import type { Journal, JournalEntry } from './journal.ts';
import type { Dispatch, Evidence, Request, Result } from './request.ts';
import { NO_RESOURCE, type Resolve, type Resource } from './resolve.ts';

export interface Path {
  readonly authenticate: (evidence: Evidence) => Principal | Nobody | Promise<Principal | Nobody>;
  /** Counts what nobody was authenticated for; nothing of it is recorded one by one. */
  readonly refused: (request: Request, reason: 'unauthenticated') => void;
  readonly operations: ReadonlyMap<string, Registered>;
  readonly rules: readonly Rule[];
  readonly vault: () => { readonly lockState: VaultPhase; readonly recoveryCodeUsed: boolean };
  /** Takes a unit of the principal's capacity; what is left, negative when over. */
  readonly take: (bucket: string, principal: Principal) => number;
  readonly resolve: Resolve;
  readonly approvals: Approvals;
  readonly journal: Journal;
  readonly execute: Execute;
  readonly now: () => Instant;
  /** Told of every request that was let in, for idle time and cancel by id; returns how to say that it is over. */
  readonly started: (request: Request, principal: Principal) => { readonly signal: AbortSignal; finished(): void };
  /** A fault of ours, for the diagnostic log: never its values. */
  readonly fault: (request: Request, error: unknown) => void;
}

export const createDispatch =
  (path: Path): Dispatch =>
  async (request) => {
    try {
      const principal = await principalOf(path, request);
      if (!principal || principal instanceof VaultError) {
        path.refused(request, 'unauthenticated');
        return failed(request, principal ?? new VaultError('AccessDeniedException', 'this caller is not known here'));
      }
      const running = path.started(request, principal);
      try {
        return await walk(path, request, principal, running.signal);
      } finally {
        running.finished();
      }
    } finally {
      // Of whoever was refused, too: it may be a mistyped secret of the owner's.
      request.input.fill(0);
    }
  };

/** Step 1. What cannot be checked is nobody. */
async function principalOf(path: Path, request: Request): Promise<Principal | Nobody> {
  try {
    const found = path.authenticate(request.evidence);
    return found instanceof Promise ? await found : found;
  } catch (thrown) {
    return asVaultError(path, undefined, request, request.signal, thrown);
  }
}

/** Steps 2 to 10 for an authenticated principal. */
async function walk(path: Path, request: Request, principal: Principal, signal: AbortSignal): Promise<Result> {
  const registered = path.operations.get(request.operation);
  const entry = path.journal.begin(request, principal, registered?.operation);
  let input: Input | undefined;
  try {
    if (!registered) throw new VaultError('UnknownOperationException', 'there is no such operation; see `keystead --help`');
    const { operation } = registered;
    const verdict = firstVerdict(path.rules, factsOf(path, request, principal, operation));
    if (verdict?.then === 'refuse') {
      entry.reasons.push(`rule:${verdict.rule}`);
      throw new VaultError(verdict.code, verdict.message);
    }
    const { region } = request;
    if (region !== undefined && !isRegion(region)) throw new VaultError('ValidationException', 'the region must look like `us-east-1`');
    input = parseInput(operation, request.input, request.door);
    entry.input(input);
    const resource = operation.resource ? await path.resolve(operation.resource, input, region) : NO_RESOURCE;
    const destination = operation.destination && (await path.resolve(operation.destination, input, region));
    const resources = destination ? [resource, destination] : [resource];
    entry.resource(resource, destination);
    if (resource.arn !== undefined) request.resolved?.(resource.arn);
    allowOrThrow(principal, operation, resources, entry);
    if (verdict) {
      await approveOrThrow(path, { request, principal, operation, resources, input, message: verdict.message, rule: verdict.rule }, entry, signal);
      allowOrThrow(principal, operation, resources, entry);
    }
    for (const { missing } of resources) if (missing) throw missing;
    signal.throwIfAborted();
    const intent = await entry.intent();
    const uses: Call['uses'][number][] = [];
    const call: Call = {
      requestId: request.id,
      principal,
      door: request.door,
      at: path.now(),
      region,
      resource,
      destination: destination ?? NO_RESOURCE,
      signal,
      progress: request.progress ?? ignore,
      intent,
      allows: (action, other) => decideFor(principal, action, other).allowed,
      touched: (arn) => {
        const reason = `${TOUCHED}${arn}`;
        if (!entry.reasons.includes(reason)) entry.reasons.push(reason);
      },
      attempted: ({ token, outcome }) => { if (entry.reasons.length < MOST_REASONS) entry.reasons.push(`attempt:${token}:${outcome}`); },
      changed: (setting, from, to) => { if (from !== to) entry.reasons.push(`${CHANGED}${setting}:${from ?? NONE}:${to ?? NONE}`); },
      uses,
      used: (use, arn) => { uses.push({ operation: use, arn }); },
      anew: () => {
        uses.length = 0;
        entry.reasons.splice(0, Infinity, ...entry.reasons.filter((reason) => !reason.startsWith(TOUCHED) && !reason.startsWith(CHANGED)));
      },
      fail,
    };
    const executed = await path.execute(registered, input, call, (epoch) => entry.success(epoch));
    await entry.succeeded(executed);
    return { ok: true, requestId: request.id, output: executed.output };
  } catch (thrown) {
    const error = asVaultError(path, registered?.operation, request, signal, thrown);
    try {
      await entry.failed(error);
    } catch (unrecorded) {
      return failed(request, asVaultError(path, registered?.operation, request, signal, unrecorded));
    }
    return failed(request, error);
  } finally {
    if (input) disposeSecrets(input);
  }
}

const TOUCHED = 'touched:';
const CHANGED = 'changed:';
const NONE = 'none';
/** Of one record: a request that goes through many tokens is known by the first. */
const MOST_REASONS = 64;
const ignore = (): void => undefined;

const fail: Call['fail'] = (code, message, details) => {
  throw new VaultError(code, message, details ? { details: { ...details } } : undefined);
};

function factsOf(path: Path, request: Request, principal: Principal, operation: Operation): Facts {
  const { name, effect, needs, doors } = operation;
  const { lockState, recoveryCodeUsed } = path.vault();
  return { lockState, recoveryCodeUsed, door: request.door, principal: principal.id, operation: name, effect, needs, doors, left: (bucket) => path.take(bucket, principal) };
}

const decideFor = (principal: Principal, action: string, resource: Resource): Decision =>
  decide(
    { principal: principal.id, action, ...(resource.arn === undefined ? {} : { resource: resource.arn }) },
    { principal: principalPolicy(principal.kind), ...(resource.policy ? { resource: resource.policy } : {}) },
  );

/** Every resource must be allowed. Denied and not found are the same bytes to a caller whom policy does not allow. */
function allowOrThrow(principal: Principal, operation: Operation, resources: readonly Resource[], entry: JournalEntry): void {
  const actions = actionsOf(operation);
  const decisions = resources.map((resource, at) => decideFor(principal, actions[at] ?? operation.name, resource));
  for (const { reasons } of decisions) entry.reasons.push(...reasons.map((reason) => ('statement' in reason ? `${reason.kind}:${reason.policy}/${reason.statement}` : reason.kind)));
  if (!decisions.every(({ allowed }) => allowed)) throw new VaultError('AccessDeniedException', `\`${operation.name}\` is not allowed for this caller; ask the owner of the vault`);
}

interface Asked {
  readonly request: Request;
  readonly principal: Principal;
  readonly operation: Operation;
  /** The resource, and the destination of an operation that has one. */
  readonly resources: readonly Resource[];
  readonly input: Input;
  readonly message: string;
  readonly rule: string;
}

async function approveOrThrow(path: Path, asked: Asked, entry: JournalEntry, signal: AbortSignal): Promise<void> {
  const { request, principal, operation, resources, message } = asked;
  const arns = resources.map(({ arn }) => arn ?? null);
  const arn = arns[0] ?? undefined;
  const binding = createHash('sha256')
    .update(JSON.stringify([principal.id, operation.name, ...arns]))
    .update(request.input)
    .digest('hex');
  const question = { requestId: request.id, principal: principal.id, operation: operation.name, message, binding, ...(arn === undefined ? {} : { resource: arn }) };
  const allowed = await path.approvals.ask(question, signal);
  entry.reasons.push(`${allowed ? 'approved' : 'not-approved'}:${asked.rule}`);
  if (!allowed) throw new VaultError('AccessDeniedException', 'this request needs an approval that was not given; try again and approve it');
}

const COMMON: ReadonlySet<ErrorCode> = new Set(COMMON_ERRORS);

/** What may leave: a declared or common error as it is; anything else is our fault and says nothing. */
function asVaultError(path: Path, operation: Operation | undefined, request: Request, signal: AbortSignal, thrown: unknown): VaultError {
  if (thrown instanceof VaultError && (COMMON.has(thrown.code) || operation?.errors.includes(thrown.code))) return thrown;
  if (signal.aborted) return new VaultError('CancelledException', 'the request was cancelled');
  path.fault(request, thrown);
  return new VaultError('InternalException', `something went wrong in Keystead; look up \`${request.id}\` in the diagnostic log (\`keystead doctor\` says where)`);
}

const failed = (request: Request, error: VaultError): Result => ({ ok: false, requestId: request.id, error: error.toBody() });
