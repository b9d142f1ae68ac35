/** What went wrong on the way to a server, from the codes of Node and the system; its text is left behind. Pure. */
import type { FailureCode, Place, Role } from '../egress/port.ts';
import { RotatorError } from './rotator-error.ts';

const UNTRUSTED = /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED)/;
const LOST: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'PROTOCOL_CONNECTION_LOST', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']);

/** The word of an error's `code`, when it has the shape of one. */
export function codeOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{1,40}$/.test(code) ? code : undefined;
}

/** A failure of the transport; undefined for what is none. */
export function transportError(error: unknown, place: Place, role?: Role): RotatorError | undefined {
  if (error instanceof RotatorError) return error;
  const detail = codeOf(error);
  if (detail === undefined) return undefined;
  const of = (code: FailureCode, where: Place = place): RotatorError => new RotatorError(code, where, { detail, role });
  if (detail === 'ERR_TLS_CERT_ALTNAME_INVALID') return of('tls-name', 'tls');
  if (UNTRUSTED.test(detail)) return of('tls-untrusted', 'tls');
  if (detail.startsWith('ERR_SSL_') || detail.startsWith('ERR_TLS_') || detail === 'EPROTO') return of('tls-failed', 'tls');
  if (LOST.has(detail)) return of('connection-lost');
  return /^(?:ECONN|EHOST|ENET|ETIMEDOUT|EADDR|EACCES|EPERM)/.test(detail) ? of('unreachable', 'connect') : undefined;
}
