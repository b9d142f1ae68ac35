/**
 * AWS Lambda's contract over HTTP: the rotation event posted as JSON, as `Invoke` and Lambda's runtime interface emulator take it
 * (`/2015-03-31/functions/function/invocations`). A status of 200 to 299 is success, unless `X-Amz-Function-Error` says
 * otherwise or the body is an error of the emulator's, which has no such header. Redirects are not followed; no proxy is asked.
 */
import { request } from 'node:http';
import { connect as secure } from 'node:tls';
import { RotatorError } from '../rotators/rotator-error.ts';
import { transportError } from '../rotators/transport-errors.ts';
import { isLoopback } from './addresses.ts';
import { type Dialler, type Opened, tlsFor } from './dial.ts';
import type { LambdaOrder } from './port.ts';
import type { Progress } from './run-database.ts';

/** A rotation function answers with nothing; what it does answer is read to know whether it is an error. */
const LARGEST_ANSWER = 65_536;
const HEADERS = 16_384;

interface Answer {
  readonly status: number;
  readonly functionError: boolean;
  readonly body: string;
}

/** Rejects with RotatorError. */
export async function runLambda(order: LambdaOrder, dialler: Dialler, progress: Progress, signal: AbortSignal): Promise<void> {
  const url = URL.canParse(order.url) ? new URL(order.url) : undefined;
  if (!url || !['https:', 'http:'].includes(url.protocol) || url.username !== '' || url.password !== '' || url.hash !== '') throw new RotatorError('function-refused', 'prepare');
  const tls = url.protocol === 'https:';
  const opened = await dialler.dial(url.hostname, url.port === '' ? (tls ? 443 : 80) : Number(url.port));
  if (!tls && !isLoopback(opened.address)) throw new RotatorError('function-refused', 'connect');
  if (!tls) progress.notes.add('no-tls');
  progress.uncertain = true;
  const answer = await post(url, JSON.stringify(order.event), await socketOf(opened, url, tls, order.ca, progress), signal);
  if (answer.status >= 300 && answer.status < 400) throw new RotatorError('function-refused', 'run', { detail: String(answer.status) });
  if (answer.status < 200 || answer.status > 299 || answer.functionError || isEmulatorError(answer.body)) throw new RotatorError('function-failed', 'run', { detail: String(answer.status) });
  progress.uncertain = false;
}

function isEmulatorError(body: string): boolean {
  try {
    const value = JSON.parse(body) as unknown;
    return typeof value === 'object' && value !== null && 'errorMessage' in value && 'errorType' in value;
  } catch {
    return false;
  }
}

async function socketOf({ socket, secured }: Opened, url: URL, tls: boolean, ca: string | undefined, progress: Progress): Promise<typeof socket> {
  if (!tls) {
    secured('none');
    return socket;
  }
  return new Promise((done, fail) => {
    const over = secure({ ...tlsFor(url.hostname, ca), socket, ALPNProtocols: ['http/1.1'] }, () => {
      secured(over.getProtocol());
      done(over);
    });
    over.once('error', (error) => {
      progress.uncertain = false;
      fail(transportError(error, 'tls') ?? new RotatorError('tls-failed', 'tls'));
    });
  });
}

const post = (url: URL, event: string, socket: Opened['socket'], signal: AbortSignal): Promise<Answer> =>
  new Promise((done, fail) => {
    const lost = (error: unknown): void => { fail(transportError(error, 'run') ?? new RotatorError('answer-malformed', 'run')); };
    // Over the socket that was dialled, and only that: with an agent there would be another.
    const sent = request(
      {
        method: 'POST', host: url.hostname, path: `${url.pathname}${url.search}`, signal, maxHeaderSize: HEADERS, createConnection: () => socket,
        headers: { Host: url.host, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(event), Accept: 'application/json', 'User-Agent': 'keystead', Connection: 'close' },
      },
      (answer) => {
        const parts: Buffer[] = [];
        let length = 0;
        answer.on('data', (piece: Buffer) => {
          length += piece.length;
          if (length > LARGEST_ANSWER) answer.destroy(new RotatorError('answer-malformed', 'run'));
          else parts.push(piece);
        });
        answer.once('error', lost);
        answer.once('end', () => { done({ status: answer.statusCode ?? 0, functionError: answer.headers['x-amz-function-error'] !== undefined, body: Buffer.concat(parts).toString('utf8') }); });
      },
    );
    sent.once('error', lost);
    sent.end(event);
  });
