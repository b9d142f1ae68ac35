/** One request and its answer, from the head that HTTP's parser has read to the bytes that go back. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Name } from '../../../shared/api/index.ts';
import { VaultError } from '../../../shared/model/errors.ts';
import type { RequestId } from '../../../shared/model/ids.ts';
import { hex } from '../../crypto/bytes.ts';
import { digest } from '../../crypto/hmac.ts';
import { stringToSign } from '../../crypto/sigv4.ts';
import type { Clock } from '../../platform/ports.ts';
import type { DoorPort, Refusal } from '../port.ts';
import { answerOf, emptyAnswer, errorAnswer, type Answer } from './answer.ts';
import { canonicalRequest, type Header } from '../../crypto/canonical.ts';
import { HeadRefused, judgeCaller, judgeHead, type Accepted } from './head.ts';
import type { Recent } from './recent.ts';

export interface ExchangePorts {
  readonly port: DoorPort;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  /** The only values of Host that are ours. */
  readonly hosts: ReadonlySet<string>;
  readonly recent: Recent;
  /** Of the peer of this connection, for the counters. */
  readonly peer: number | undefined;
  /** Whether as many are under way as may be, this one not among them yet; the number is the door's to keep. */
  readonly crowded: () => boolean;
  /** This exchange's alone. */
  readonly gone: AbortController;
  /** What `POST /_keystead/reset` does, where there is such a thing. */
  readonly reset?: () => Promise<void>;
}

const RESET_PATH = '/_keystead/reset';

/** What the head says, as soon as it is known. */
interface Claims {
  operation?: Name;
  accessKeyId?: string;
  resource?: string;
}

/** Resolves when the answer was handed to the system, or the caller has gone. Never rejects. */
export async function exchange(request: IncomingMessage, response: ServerResponse, ports: ExchangePorts): Promise<void> {
  const { port, clock, recent } = ports;
  const requestId = port.newRequestId();
  const begun = clock.monotonic();
  const time = clock.now();
  const claims: Claims = {};
  const answer = await answered(request, requestId, ports, claims).catch((error: unknown) => refusal(requestId, error, ports));
  recent.add({ time, requestId, ...claims, status: answer.status, ...(answer.error === undefined ? {} : { error: answer.error }), milliseconds: Math.round((clock.monotonic() - begun) * 10) / 10 });
  await send(request, response, answer);
}

async function answered(request: IncomingMessage, requestId: RequestId, ports: ExchangePorts, claims: Claims): Promise<Answer> {
  const headers = headersOf(request.rawHeaders);
  const head = { method: request.method ?? '', url: request.url ?? '', headers };
  if (ports.reset && head.url === RESET_PATH) return resetAnswer(requestId, head, ports.hosts, ports.reset);
  const accepted = judgeHead(head, ports.hosts);
  claims.operation = accepted.target.operation;
  claims.accessKeyId = accepted.authorization.accessKeyId;
  if (ports.crowded()) throw new VaultError('ThrottlingException', 'too many requests at once; try again in a moment');
  const body = await readBody(request, accepted.length);
  try {
    return answerOf(
      accepted.target.operation,
      await ports.port.dispatch({
        id: requestId,
        door: 'aws',
        evidence: { door: 'aws', signed: signedOf(accepted, head, body) },
        operation: accepted.target.operation,
        // What was signed: each region is a name space of its own.
        region: accepted.authorization.scope.region,
        input: body,
        signal: ports.gone.signal,
        abort: () => { ports.gone.abort(); },
        resolved: (arn) => { claims.resource = arn; },
      }),
    );
  } finally {
    body.fill(0);
  }
}

/** Not signed: whoever may connect may begin anew with a vault that is thrown away anyway. */
async function resetAnswer(requestId: RequestId, { method, headers }: { readonly method: string; readonly headers: readonly Header[] }, hosts: ReadonlySet<string>, reset: () => Promise<void>): Promise<Answer> {
  judgeCaller(headers, hosts);
  if (method !== 'POST') throw new HeadRefused('malformed', 405, 'SerializationException', 'only `POST` is taken here');
  await reset();
  return emptyAnswer(requestId);
}

/** The evidence: what the client must have signed if it sent this. Throws HeadRefused where it said another hash of the body. */
export function signedOf({ authorization, time, at, payloadHash }: Accepted, head: { readonly method: string; readonly headers: readonly Header[] }, body: Uint8Array) {
  const hash = hex(digest('sha256', body));
  if (payloadHash !== undefined && payloadHash !== hash) throw new HeadRefused('unsigned', 400, 'InvalidSignatureException', '`X-Amz-Content-Sha256` is not the hash of the body that came');
  const canonical = canonicalRequest({ method: head.method, path: '/', query: '', headers: head.headers }, authorization.signedHeaders, hash);
  const { accessKeyId, scope, signature } = authorization;
  return { accessKeyId, scope, time: at, stringToSign: stringToSign(time, scope, canonical), signature };
}

function headersOf(raw: readonly string[]): Header[] {
  const headers: Header[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) headers.push([raw[at] ?? '', raw[at + 1] ?? '']);
  return headers;
}

/** Exactly `length` bytes, off-heap, the caller's to wipe; what HTTP's parser held of them is wiped here. */
function readBody(request: IncomingMessage, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const body = new Uint8Array(new ArrayBuffer(length));
  let at = 0;
  let whole = false;
  return new Promise((resolve, reject) => {
    const gone = (): void => {
      if (whole) return;
      body.fill(0);
      reject(new VaultError('CancelledException', 'the request did not come whole'));
    };
    request.on('data', (chunk: Buffer) => {
      if (at + chunk.byteLength <= length) body.set(chunk, at);
      at += chunk.byteLength;
      chunk.fill(0);
    });
    request.once('end', () => {
      whole = at === length;
      if (whole) resolve(body);
      else gone();
    });
    request.once('error', gone);
    request.once('close', gone);
  });
}

function refusal(requestId: RequestId, error: unknown, { port, peer }: ExchangePorts): Answer {
  if (error instanceof HeadRefused) {
    const reason: Refusal = error.reason;
    port.refused('aws', reason, peer);
    return errorAnswer(requestId, error, undefined, error.status);
  }
  if (error instanceof VaultError) {
    port.refused('aws', error.code === 'ThrottlingException' ? 'in-flight' : 'malformed', peer);
    return errorAnswer(requestId, error);
  }
  return errorAnswer(requestId, { code: 'KMSInternalException', message: 'the door failed inside; try again' });
}

/** A body that was not read ends the connection with the answer: there is no telling where the next request begins. */
function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      body.fill(0);
      resolve();
    };
    if (response.destroyed || response.writableEnded) return done();
    response.once('close', done);
    response.writeHead(status, request.complete ? headers : { ...headers, Connection: 'close' });
    response.end(body, done);
  });
}
