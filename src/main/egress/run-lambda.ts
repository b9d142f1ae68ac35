/**
 * AWS Lambda's contract over HTTP: the rotation event posted as JSON, as `Invoke` and Lambda's runtime interface emulator take it
 * (`/2015-03-31/functions/function/invocations`). A status of 200 to 299 is success, unless `X-Amz-Function-Error` says
 * otherwise or the body is an error of the emulator's, which has no such header. Redirects are not followed; no proxy is asked.
 */
import { utf8 } from '../crypto/bytes.ts';
import { RotatorError } from '../rotators/rotator-error.ts';
import { isLoopback } from './addresses.ts';
import type { Dialler } from './dial.ts';
import { portOfUrl, post, socketFor } from './http.ts';
import type { LambdaOrder } from './port.ts';
import type { Progress } from './run-database.ts';

/** A rotation function answers with nothing; what it does answer is read to know whether it is an error. */
const LARGEST_ANSWER = 65_536;

/** Rejects with RotatorError. */
export async function runLambda(order: LambdaOrder, dialler: Dialler, progress: Progress, signal: AbortSignal): Promise<void> {
  const url = URL.canParse(order.url) ? new URL(order.url) : undefined;
  if (!url || !['https:', 'http:'].includes(url.protocol) || url.username !== '' || url.password !== '' || url.hash !== '') throw new RotatorError('function-refused', 'prepare');
  const tls = url.protocol === 'https:';
  const opened = await dialler.dial(url.hostname, portOfUrl(url));
  if (!tls && !isLoopback(opened.address)) throw new RotatorError('function-refused', 'connect');
  if (!tls) progress.notes.add('no-tls');
  const socket = await socketFor(opened, url, order.ca);
  progress.uncertain = true;
  const answer = await post(url, { 'Content-Type': 'application/json', Accept: 'application/json' }, utf8(JSON.stringify(order.event)), socket, { signal, limit: LARGEST_ANSWER });
  if (answer.status >= 300 && answer.status < 400) throw new RotatorError('function-refused', 'run', { detail: String(answer.status) });
  if (answer.status < 200 || answer.status > 299 || answer.headers['x-amz-function-error'] !== undefined || isEmulatorError(answer.body.toString('utf8'))) throw new RotatorError('function-failed', 'run', { detail: String(answer.status) });
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
