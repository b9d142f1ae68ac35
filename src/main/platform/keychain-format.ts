/**
 * What the keychain helper and its client say to each other. Request: operation u8, LP16 service, LP16 name, then the
 * value (empty but for `set`). Reply: outcome u8, then the value (empty but for a `get` that found one). Binary, so that
 * the secret is never a string outside the helper, which dies after each call.
 */

export const OPERATIONS = ['probe', 'get', 'set', 'remove'] as const;
export type Operation = (typeof OPERATIONS)[number];

export const OUTCOMES = ['ok', 'absent', 'locked', 'no-module', 'no-library', 'no-bus', 'failed'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface KeychainRequest {
  readonly operation: Operation;
  readonly service: string;
  readonly name: string;
  readonly value: Uint8Array;
}

export interface KeychainReply {
  readonly outcome: Outcome;
  readonly value: Uint8Array;
}

/** Names and service in UTF-8, each up to this many bytes. */
const LONGEST = 1024;

export function encodeRequest({ operation, service, name, value }: KeychainRequest): Uint8Array<ArrayBuffer> {
  const texts = [service, name].map((text) => new TextEncoder().encode(text));
  const length = texts.reduce((sum, text) => sum + 2 + text.length, 1 + value.length);
  const frame = new Uint8Array(new ArrayBuffer(length));
  frame[0] = OPERATIONS.indexOf(operation);
  let at = 1;
  for (const text of texts) {
    if (text.length > LONGEST) throw new RangeError('a keychain name is too long');
    frame[at++] = text.length >>> 8;
    frame[at++] = text.length;
    frame.set(text, at);
    at += text.length;
  }
  frame.set(value, at);
  return frame;
}

/** Undefined for what is not a request. `value` is a view of `frame`. */
export function decodeRequest(frame: Uint8Array): KeychainRequest | undefined {
  const operation = OPERATIONS[frame[0] ?? -1];
  if (operation === undefined) return undefined;
  let at = 1;
  const texts: string[] = [];
  for (let i = 0; i < 2; i++) {
    if (at + 2 > frame.length) return undefined;
    const length = ((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0);
    at += 2;
    if (length > LONGEST || at + length > frame.length) return undefined;
    texts.push(new TextDecoder().decode(frame.subarray(at, at + length)));
    at += length;
  }
  const [service = '', name = ''] = texts;
  return { operation, service, name, value: frame.subarray(at) };
}

export function encodeReply({ outcome, value }: KeychainReply): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(new ArrayBuffer(1 + value.length));
  frame[0] = OUTCOMES.indexOf(outcome);
  frame.set(value, 1);
  return frame;
}

/** Copies the value off-heap and wipes `frame`. Undefined for what is not a reply. */
export function takeReply(frame: Uint8Array): KeychainReply | undefined {
  const outcome = OUTCOMES[frame[0] ?? -1];
  const value = new Uint8Array(new ArrayBuffer(Math.max(0, frame.length - 1)));
  value.set(frame.subarray(1));
  frame.fill(0);
  return outcome === undefined ? undefined : { outcome, value };
}
