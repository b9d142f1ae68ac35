/** The rotations' port, over the process that opens outward connections: one process for each step, gone when it is over. */
import { VaultError } from '../../shared/model/errors.ts';
import type { Rotator, RotatorOutcome, RotatorRequest, RotatorTarget } from '../secrets/rotator-port.ts';
import { portOfUrl } from './http.ts';
import type { Action, Egress, EgressAnswer, EgressOrder, Values } from './port.ts';
import { DEFAULT_PORT, hostNamedBy, ownersEntry } from './target.ts';

/** An entry of the vault's list of allowed commands. */
export interface AllowedCommand {
  /** Absolute. */
  readonly path: string;
  readonly args: readonly string[];
  /** SHA-256 of the file, hex. */
  readonly sha256?: string;
}

export interface RotatorOptions {
  readonly egress: Egress;
  /** By the name that a secret has of it. */
  readonly command: (name: string) => AllowedCommand | undefined;
  /** Address of the vault's door for AWS clients, for commands. */
  readonly endpoint?: () => string | undefined;
  /** Milliseconds for a step. Default: 30 s at a database; 15 minutes, AWS Lambda's own limit, for a function or a command. */
  readonly timeMs?: { readonly database: number; readonly other: number };
}

const TIME_MS = { database: 30_000, other: 900_000 };
const refusal = (code: string, message: string): RotatorOutcome => ({ ok: false, failure: { code, message }, connections: [] });

function outcomeOf(answer: EgressAnswer): RotatorOutcome {
  const connections = answer.connections.map(({ host, port, address, tls, ms }) => ({ host, port, ...(address === undefined ? {} : { address }), ...(tls === undefined ? {} : { tls: tls !== 'none' }), ms }));
  if (answer.ok) return { ok: true, notes: answer.notes, connections };
  const { code, detail, message, uncertain } = answer.failure;
  if (code === 'cancelled') throw new VaultError('CancelledException', 'the rotation was cancelled');
  if (code === 'stopped') throw new VaultError('InternalException', message);
  return { ok: false, failure: { code: detail ?? code, message, ...(uncertain ? { uncertain } : {}) }, connections };
}

export function createRotator({ egress, command, endpoint = () => undefined, timeMs = TIME_MS }: RotatorOptions): Rotator {
  async function run(order: EgressOrder, values: Values, signal: AbortSignal): Promise<RotatorOutcome> {
    const session = egress.open();
    try {
      return outcomeOf(await session.run(order, values, { signal }));
    } finally {
      await session.close();
    }
  }

  async function database(action: Action, { target, signal, ...given }: Pick<RotatorRequest, 'target' | 'signal' | 'current' | 'previous' | 'master' | 'anew'> & { readonly pending?: RotatorRequest['pending'] }): Promise<RotatorOutcome> {
    const { kind, strategy, hosts = [] } = target;
    if (kind === 'command' || kind === 'lambda') return refusal('not-a-database', 'this rotation calls a program or a function, which has to test itself');
    const named = given.current.borrow((bytes) => hostNamedBy(bytes, kind));
    const allow = [...(named === undefined ? [] : [named]), ...hosts.map((host) => ownersEntry(host, DEFAULT_PORT[kind]))];
    const { current, previous, pending, master } = given;
    const values = { current, ...(previous ? { previous } : {}), ...(pending ? { pending } : {}), ...(master ? { master } : {}) };
    return run({ kind: 'database', action, engine: kind, strategy, ...(given.anew ? { anew: given.anew } : {}), allow, timeMs: timeMs.database }, values, signal);
  }

  return {
    set: (request) => database('set', request),
    test: (request) => database('test', request),
    finish: async (request) => (request.target.kind === 'redis' ? database('finish', request) : { ok: true, connections: [] }),
    check: (request) => database('probe', request),
    async invoke(Step, { target, secretArn, token, signal }) {
      const event = { Step, SecretId: secretArn, ClientRequestToken: token };
      const order = orderOf(target, event);
      return 'ok' in order ? order : run(order, {}, signal);
    },
  };

  function orderOf({ kind, command: name, url, ca }: RotatorTarget, event: Extract<EgressOrder, { kind: 'command' }>['event']): EgressOrder | RotatorOutcome {
    if (kind === 'lambda') {
      const at = url !== undefined && URL.canParse(url) ? new URL(url) : undefined;
      if (!at) return refusal('function-refused', 'this rotation names no function: give its address');
      const port = portOfUrl(at);
      return { kind, url: at.href, event, allow: [ownersEntry(`${at.hostname}:${String(port)}`, port)], ...(ca === undefined ? {} : { ca }), timeMs: timeMs.other };
    }
    if (kind !== 'command') return refusal('no-function', 'this rotation sets a password at a server; it calls no function');
    const allowed = name === undefined ? undefined : command(name);
    if (!allowed) return refusal('command-refused', 'this rotation names a command that the vault does not allow: allow it first');
    const at = endpoint();
    const { path, args, sha256 } = allowed;
    return { kind, path, args, ...(sha256 === undefined ? {} : { sha256 }), event, ...(at === undefined ? {} : { endpoint: at }), timeMs: timeMs.other };
  }
}
