/**
 * A module host: one PKCS #11 module, which is other people's native code, in a process of its own. It holds the PINs that it was given,
 * in the module's memory, until it is killed.
 *
 * Defends against: a module that crashes or hangs (only this process does), another module's PIN, native code in the process that
 * decides. Does not: keep the module from what this user may do.
 */
import type * as library from 'pkcs11js';
import { childPort } from '../../platform/child-port.ts';
import { harden } from '../../platform/harden.ts';
import type { Cryptoki } from './cryptoki.ts';
import { createDevice, perform } from './device.ts';
import { HostFailure } from './host-failure.ts';
import { decodeToChild, encode } from './messages.ts';
import { CALLS, FUNCTION_NAME, RETURN_NAME, type Failure } from './protocol.ts';

harden();
const port = childPort();

function failureOf(error: unknown): Failure {
  if (error instanceof HostFailure) return error.failure;
  // The wrapping library's errors, by their shape.
  const { code, message, method } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown; readonly method?: unknown };
  const name = typeof message === 'string' && RETURN_NAME.test(message) ? message : undefined;
  if (typeof code !== 'number' || (code === 0 && name === undefined)) return { what: 'internal' };
  return { what: 'cryptoki', code, ...(typeof method === 'string' && FUNCTION_NAME.test(method) ? { function: method } : {}), ...(name === undefined ? {} : { name }) };
}

async function start(): Promise<void> {
  // Left out where it could not be compiled: then this process ends, and the vault says what is missing.
  const { PKCS11 } = (await import('pkcs11js')) as typeof library;
  const device = createDevice(new PKCS11() as unknown as Cryptoki);
  port.onFrame((frame) => {
    const given = decodeToChild(frame);
    if (!given) process.exit(1);
    const { id, message, parts } = given;
    const parsed = CALLS[message.call].request.safeParse(message.request);
    if (!parsed.success) process.exit(1);
    perform(device, message.call, parsed.data, parts)
      .then(({ reply, parts: bytes = [] }) => {
        port.send(encode(id, { reply }, bytes));
        for (const part of bytes) part.fill(0);
      })
      .catch((error: unknown) => {
        port.send(encode(id, { failure: failureOf(error) }));
      });
  });
}

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.name : 'Error'}\n`);
    process.exit(70);
  });
}
void port.closed.then(() => process.exit(0));
void start();
