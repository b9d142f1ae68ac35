/** Stands in front of a server on loopback and lets connections through as the test says, byte for byte: TLS goes on from end to end. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Gate {
  readonly port: number;
  /** `hook` is asked about each connection before a byte of it goes through. Counts answers anew. */
  watch(hook: () => Promise<void> | void): void;
  /** Resolves once so many pieces of the server's answers went through, over all connections. */
  answered(pieces: number): Promise<void>;
  close(): void;
}

function join(client: Socket, port: number, answered: () => void): void {
  if (client.destroyed) return;
  const server = connect(port, '127.0.0.1');
  for (const [one, other] of [[client, server], [server, client]] as const) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
  server.on('data', answered);
  client.pipe(server).pipe(client);
}

export async function startGate(port: number): Promise<Gate> {
  let hook: () => Promise<void> | void = () => undefined;
  let pieces = 0;
  let waiting: { readonly at: number; readonly tell: () => void }[] = [];
  const answered = (): void => {
    pieces++;
    for (const { tell } of waiting.filter(({ at }) => at <= pieces)) tell();
    waiting = waiting.filter(({ at }) => at > pieces);
  };
  const server = createServer({ pauseOnConnect: true }, (client) => {
    client.on('error', () => undefined);
    void Promise.resolve(hook()).then(() => join(client, port, answered));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    port: (server.address() as AddressInfo).port,
    watch(next) {
      hook = next;
      pieces = 0;
      waiting = [];
    },
    answered: (at) => new Promise((tell) => { waiting.push({ at, tell }); }),
    close: () => server.close(),
  };
}
