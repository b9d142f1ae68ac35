/**
 * As much of the X11 protocol (X Window System Protocol, version 11, release 6.8) as a clipboard wants, little-endian, over the server's own
 * socket on this machine. Selections belong to a connection: they go when it is closed, and so when this process ends in whatever way.
 */
import { createConnection, type Socket } from 'node:net';
import { VaultError } from '../../../../shared/model/errors.ts';
import { peerOf } from '../../../platform/peer.ts';
import type { Authority } from './authority.ts';

/** What came from the server: an answer to a request (its first byte is 1) or an event. */
export type XEvent = DataView;

export interface XConnection {
  readonly root: number;
  /** An id for a new window. */
  readonly freshId: number;
  /** Takes ownership of `request` and wipes it once it is written. */
  send(request: Uint8Array): void;
  /** The reply. Rejects when the server refuses the request, or goes. */
  ask(request: Uint8Array): Promise<DataView>;
  /** One receiver. */
  onEvent(receive: (event: XEvent) => void): void;
  readonly closed: Promise<void>;
  close(): void;
}

const PACKET = 32;
const MOST_BYTES = 1024 * 1024;
const WITHIN = 2000;

const unreachable = (cause?: unknown): VaultError => new VaultError('InternalException', 'the clipboard cannot be reached: the display does not answer', { cause });
export const padded = (length: number): number => (length + 3) & ~3;

/** `:0`, `:0.1`, `unix:0`: a display of this machine. Undefined for any other. */
export const displayNumber = (display: string | undefined): string | undefined => /^(?:unix)?:(\d{1,5})(?:\.\d{1,3})?$/.exec(display ?? '')?.[1];

/** Rejects with InternalException. */
export function connectX(number: string, authority: Authority | undefined, folder = '/tmp/.X11-unix'): Promise<XConnection> {
  const socket = createConnection(`${folder}/X${number}`);
  return new Promise((resolve, reject) => {
    const fail = (cause?: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(unreachable(cause));
    };
    const timer = setTimeout(fail, WITHIN);
    socket.once('error', fail);
    socket.once('close', () => fail());
    socket.once('connect', () => {
      // The server is the system's or this user's own: another user who took its place in time would be given the value.
      const uid = peerOf(socket)?.uid;
      if (uid === undefined || (uid !== 0 && uid !== process.geteuid?.())) return fail();
      socket.write(greeting(authority));
      const packets = openPackets(socket, (setup) => {
        clearTimeout(timer);
        const made = connectionOf(socket, packets, setup);
        if (made) resolve(made);
        else fail();
      });
    });
  });
}

function greeting(authority: Authority | undefined): Uint8Array {
  const name = new TextEncoder().encode(authority?.name ?? '');
  const data = authority?.data ?? new Uint8Array();
  const bytes = new Uint8Array(12 + padded(name.length) + padded(data.length));
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x6c;
  view.setUint16(2, 11, true);
  view.setUint16(6, name.length, true);
  view.setUint16(8, data.length, true);
  bytes.set(name, 12);
  bytes.set(data, 12 + padded(name.length));
  return bytes;
}

interface Packets {
  /** Of answers, errors and events. */
  receive: (packet: DataView) => void;
}

/** Cuts what comes into packets, the first of which is the setup. */
function openPackets(socket: Socket, onSetup: (setup: DataView) => void): Packets {
  const packets: Packets = { receive: () => undefined };
  let rest = new Uint8Array();
  let greeted = false;
  socket.on('data', (chunk: Buffer) => {
    const all = new Uint8Array(rest.length + chunk.length);
    all.set(rest);
    all.set(chunk, rest.length);
    chunk.fill(0);
    rest.fill(0);
    rest = all;
    for (;;) {
      const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength);
      const size = greeted ? packetSize(view) : setupSize(view);
      if (size > MOST_BYTES) return void socket.destroy();
      if (size === 0 || size > rest.length) return;
      const packet = new DataView(rest.slice(0, size).buffer);
      rest.fill(0, 0, size);
      rest = rest.subarray(size);
      if (greeted) packets.receive(packet);
      else {
        greeted = true;
        onSetup(packet);
      }
    }
  });
  return packets;
}

const setupSize = (view: DataView): number => (view.byteLength < 8 ? 0 : 8 + view.getUint16(6, true) * 4);
/** Only a reply (1) and a generic event (35) are longer than 32 bytes. */
function packetSize(view: DataView): number {
  if (view.byteLength < PACKET) return 0;
  const kind = view.getUint8(0) & 0x7f;
  return PACKET + (kind === 1 || kind === 35 ? view.getUint32(4, true) * 4 : 0);
}

/** Undefined when the server does not let us in. */
function connectionOf(socket: Socket, packets: Packets, setup: DataView): XConnection | undefined {
  if (setup.getUint8(0) !== 1 || setup.byteLength < 40) return undefined;
  const [base, mask] = [setup.getUint32(12, true), setup.getUint32(16, true)];
  const screens = 40 + padded(setup.getUint16(24, true)) + setup.getUint8(29) * 8;
  if (screens + 4 > setup.byteLength) return undefined;
  const waiting = new Map<number, { resolve(reply: DataView): void; reject(error: Error): void }>();
  let sequence = 0;
  let receive: (event: XEvent) => void = () => undefined;
  const closed = new Promise<void>((resolve) =>
    socket.once('close', () => {
      for (const { reject } of waiting.values()) reject(unreachable());
      waiting.clear();
      resolve();
    }),
  );
  socket.removeAllListeners('error');
  socket.on('error', () => undefined);
  socket.unref();
  packets.receive = (packet) => {
    const kind = packet.getUint8(0);
    if (kind > 1) return receive(packet);
    const number = packet.getUint16(2, true);
    const asked = waiting.get(number);
    waiting.delete(number);
    if (kind === 1) asked?.resolve(packet);
    else asked?.reject(unreachable());
  };
  const send = (request: Uint8Array): void => {
    sequence = (sequence + 1) & 0xffff;
    socket.write(request, () => void request.fill(0));
  };
  return {
    root: setup.getUint32(screens, true),
    freshId: (base | (1 & mask)) >>> 0,
    send,
    ask: (request) =>
      new Promise((resolve, reject) => {
        send(request);
        const number = sequence;
        const timer = setTimeout(() => {
          waiting.delete(number);
          reject(unreachable());
        }, WITHIN);
        const settle = <T>(act: (value: T) => void) => (value: T): void => {
          clearTimeout(timer);
          act(value);
        };
        waiting.set(number, { resolve: settle(resolve), reject: settle(reject) });
      }),
    onEvent: (take) => void (receive = take),
    closed,
    close: () => void socket.destroy(),
  };
}
