/** Bytes to a door on this machine and what comes back, for requests that no client would write. */
import { connect } from 'node:net';
import type { Header } from '../../src/main/crypto/canonical.ts';

export interface RawAnswer {
  /** Of HTTP; 0 where nothing came. */
  readonly status: number;
  /** `__type`; empty for none. */
  readonly type: string;
  readonly whole: string;
}

export const requestText = (headers: readonly Header[], body = '', line = 'POST / HTTP/1.1'): string => `${line}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;

/** Whether an answer is there as long as it says that it is. */
function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(text.slice(0, end + 2))?.[1];
  return end >= 0 && length !== undefined && Buffer.byteLength(text.slice(end + 4), 'latin1') >= Number(length);
}

/** The first answer, whole, or what came of it until the other side ended. `text`: latin1 unless it is bytes. */
export function rawAnswer(port: number, text: string | Uint8Array): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let whole = '';
    const done = (): void => {
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(whole)?.[1] ?? 0), type: /"__type":"(\w+)"/.exec(whole)?.[1] ?? '', whole });
    };
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      whole += chunk.toString('latin1');
      if (isWhole(whole)) done();
    });
    socket.once('close', done);
    socket.once('connect', () => socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text));
  });
}
