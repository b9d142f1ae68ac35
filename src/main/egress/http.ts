/** One HTTP request over a socket that was dialled, and only that: with an agent there would be another. No redirect is followed, no proxy asked. */
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { connect as secure } from 'node:tls';
import { RotatorError } from '../rotators/rotator-error.ts';
import { transportError } from '../rotators/transport-errors.ts';
import { tlsFor, type Opened } from './dial.ts';

const HEADERS = 16_384;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export const portOfUrl = (url: URL): number => (url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port));

/** With TLS where the address says so, verified by its name. RotatorError of place `tls`. */
export async function socketFor({ socket, secured }: Opened, url: URL, ca: string | undefined): Promise<Socket> {
  if (url.protocol !== 'https:') {
    secured('none');
    return socket;
  }
  return new Promise((done, fail) => {
    const over = secure({ ...tlsFor(url.hostname, ca), socket, ALPNProtocols: ['http/1.1'] }, () => {
      secured(over.getProtocol());
      done(over);
    });
    over.once('error', (error) => { fail(transportError(error, 'tls') ?? new RotatorError('tls-failed', 'tls')); });
  });
}

/** `Host` is sent first; `limit`: bytes of the answer's body. RotatorError. */
export const post = (url: URL, headers: Readonly<Record<string, string>>, body: Uint8Array, socket: Socket, { signal, limit }: { readonly signal: AbortSignal; readonly limit: number }): Promise<HttpAnswer> =>
  new Promise((done, fail) => {
    const lost = (error: unknown): void => { fail(transportError(error, 'run') ?? new RotatorError('answer-malformed', 'run')); };
    const sent = request(
      {
        method: 'POST', host: url.hostname, path: `${url.pathname}${url.search}`, signal, maxHeaderSize: HEADERS, createConnection: () => socket,
        headers: { Host: url.host, ...headers, 'Content-Length': body.byteLength, 'User-Agent': 'keystead', Connection: 'close' },
      },
      (answer) => {
        const parts: Buffer[] = [];
        let length = 0;
        answer.on('data', (piece: Buffer) => {
          length += piece.length;
          if (length > limit) answer.destroy(new RotatorError('answer-malformed', 'run'));
          else parts.push(piece);
        });
        answer.once('error', lost);
        answer.once('end', () => { done({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) }); });
      },
    );
    sent.once('error', lost);
    sent.end(body);
  });
