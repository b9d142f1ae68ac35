/**
 * The two DevTools messages that carry the vault's values, handled as bytes: a password or a plaintext that once was a JavaScript string
 * could not be wiped. Everything else of the protocol goes through JSON.
 *
 * Defends against: copies of secrets in main's heap, and bytes that are not what the browser's encoder writes. Does not: keep values out
 * of the browser's own memory; ending the renderer's process at lock does that for the page.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What each one-character escape of JSON stands for. */
const ESCAPES: Readonly<Record<number, number>> = { 0x22: 0x22, 0x5c: 0x5c, 0x2f: 0x2f, 0x62: 0x08, 0x66: 0x0c, 0x6e: 0x0a, 0x72: 0x0d, 0x74: 0x09 };

export interface BindingCall {
  /** What the page sent, UTF-8, off-heap; the receiver's own to wipe. */
  readonly payload: Uint8Array<ArrayBuffer>;
  readonly contextId: number;
  readonly sessionId: string;
}

/**
 * Reads a `Runtime.bindingCalled` of the binding `name`; undefined for every other message, also for one of this kind whose fields come
 * in an order that the browser's encoder does not use.
 */
export function createBindingReader(name: string): (message: Uint8Array) => BindingCall | undefined {
  const prefix = encode(`{"method":"Runtime.bindingCalled","params":{"name":${JSON.stringify(name)},"payload":"`);
  return (message) => {
    if (message.length <= prefix.length) return undefined;
    for (let at = 0; at < prefix.length; at++) if (message[at] !== prefix[at]) return undefined;
    const start = prefix.length;
    const end = endOfString(message, start);
    if (end === undefined) return undefined;
    const rest = restOf(message.subarray(end + 1));
    const payload = rest && unescape(message.subarray(start, end));
    return rest && payload ? { payload, ...rest } : undefined;
  };
}

function restOf(bytes: Uint8Array): { readonly contextId: number; readonly sessionId: string } | undefined {
  try {
    const { params, sessionId } = JSON.parse(`{"params":{"x":0${new TextDecoder().decode(bytes)}`) as { readonly params?: { readonly executionContextId?: unknown }; readonly sessionId?: unknown };
    const contextId = params?.executionContextId;
    return typeof contextId === 'number' && typeof sessionId === 'string' ? { contextId, sessionId } : undefined;
  } catch {
    return undefined;
  }
}

/** A call that the reader did not take, from its fields: right all the same, but a string was made of it. */
export function callOf({ payload, executionContextId }: Readonly<Record<string, unknown>>, sessionId: string | undefined): BindingCall {
  return { payload: new TextEncoder().encode(typeof payload === 'string' ? payload : ''), contextId: Number(executionContextId), sessionId: sessionId ?? '' };
}

function endOfString(bytes: Uint8Array, from: number): number | undefined {
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] === QUOTE) return at;
    if (bytes[at] === BACKSLASH) at++;
  }
  return undefined;
}

/** The characters of a JSON string as UTF-8. Undefined, and nothing left behind, for an escape that JSON does not have or half a pair. */
function unescape(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  // Never longer than its source.
  const room = new Uint8Array(new ArrayBuffer(bytes.length));
  let length = 0;
  const refuse = (): undefined => {
    room.fill(0);
    return undefined;
  };
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte !== BACKSLASH) {
      room[length++] = byte;
      continue;
    }
    const kind = bytes[++at] ?? 0;
    const simple = ESCAPES[kind];
    if (simple !== undefined) {
      room[length++] = simple;
      continue;
    }
    const high = kind === 0x75 ? hexUnit(bytes, at + 1) : undefined;
    if (high === undefined) return refuse();
    at += 4;
    let point = high;
    if (high >= 0xd800 && high < 0xe000) {
      const low = bytes[at + 1] === BACKSLASH && bytes[at + 2] === 0x75 ? hexUnit(bytes, at + 3) : undefined;
      if (high >= 0xdc00 || low === undefined || low < 0xdc00 || low >= 0xe000) return refuse();
      at += 6;
      point = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
    length = putPoint(room, length, point);
  }
  if (length === room.length) return room;
  const exact = new Uint8Array(new ArrayBuffer(length));
  exact.set(room.subarray(0, length));
  room.fill(0);
  return exact;
}

function hexUnit(bytes: Uint8Array, from: number): number | undefined {
  let unit = 0;
  for (let at = from; at < from + 4; at++) {
    const byte = bytes[at] ?? 0;
    const digit = byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66 ? (byte | 0x20) - 0x57 : -1;
    if (digit < 0) return undefined;
    unit = unit * 16 + digit;
  }
  return unit;
}

function putPoint(into: Uint8Array, at: number, point: number): number {
  if (point < 0x80) into[at++] = point;
  else if (point < 0x800) {
    into[at++] = 0xc0 | (point >> 6);
    into[at++] = 0x80 | (point & 0x3f);
  } else {
    if (point < 0x10000) into[at++] = 0xe0 | (point >> 12);
    else {
      into[at++] = 0xf0 | (point >> 18);
      into[at++] = 0x80 | ((point >> 12) & 0x3f);
    }
    into[at++] = 0x80 | ((point >> 6) & 0x3f);
    into[at++] = 0x80 | (point & 0x3f);
  }
  return at;
}

/**
 * The call of the page's receiving end with `data` (UTF-8 JSON) as its only argument, ready for the pipe, off-heap. `data` is wiped.
 * The answer of the browser says nothing of the argument.
 */
export function receiverCall(id: number, sessionId: string, receiver: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const call = { objectId: receiver, functionDeclaration: 'function(text){this(text)}', silent: true };
  const head = encode(`{"id":${String(id)},"sessionId":${JSON.stringify(sessionId)},"method":"Runtime.callFunctionOn","params":${JSON.stringify(call).slice(0, -1)},"arguments":[{"value":"`);
  const tail = encode('"}]}}\0');
  let more = 0;
  for (const byte of data) more += byte === QUOTE || byte === BACKSLASH ? 1 : byte < 0x20 ? 5 : 0;
  const message = new Uint8Array(new ArrayBuffer(head.length + data.length + more + tail.length));
  message.set(head);
  let at = head.length;
  for (const byte of data) {
    if (byte === QUOTE || byte === BACKSLASH) message[at++] = BACKSLASH;
    if (byte >= 0x20) message[at++] = byte;
    else for (const digit of `\\u00${byte.toString(16).padStart(2, '0')}`) message[at++] = digit.charCodeAt(0);
  }
  message.set(tail, at);
  data.fill(0);
  return message;
}
