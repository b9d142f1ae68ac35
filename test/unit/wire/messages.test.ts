import { describe, expect, it } from 'vitest';
import { encodeJson } from '../../../src/shared/wire/encode.ts';
import { MAX_CALL_ID, readClientMessage, readServerMessage } from '../../../src/shared/wire/messages.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const client = (text: string): unknown => {
  const message = readClientMessage(utf8(text));
  return message.kind === 'request' ? { ...message, input: Buffer.from(message.input).toString() } : message;
};

describe('messages of a client', () => {
  it('are requests, cancels and hellos', () => {
    expect(client('{"id":1,"op":"kms:Encrypt","input":{"a":1}}')).toEqual({ kind: 'request', id: 1, op: 'kms:Encrypt', input: '{"a":1}', progress: false });
    expect(client('{"progress":true,"input":{},"op":"x","id":2147483647}')).toEqual({ kind: 'request', id: MAX_CALL_ID, op: 'x', input: '{}', progress: true });
    expect(client('{"id":3,"cancel":true}')).toEqual({ kind: 'cancel', id: 3 });
    expect(client('{"hello":{"version":1,"events":true}}')).toEqual({ kind: 'hello', version: 1, events: true });
    expect(client('{"hello":{"version":2}}')).toEqual({ kind: 'hello', version: 2, events: false });
  });

  it.each([
    ['{}', null],
    ['[]', null],
    ['', null],
    ['{"id":0,"op":"x","input":{}}', null],
    ['{"id":-1,"op":"x","input":{}}', null],
    ['{"id":1.5,"op":"x","input":{}}', null],
    ['{"id":2147483648,"op":"x","input":{}}', null],
    ['{"id":"1","op":"x","input":{}}', null],
    ['{"op":"x","input":{}}', null],
    ['{"id":1,"op":"x"}', 1],
    ['{"id":1,"input":{}}', 1],
    ['{"id":1,"op":"","input":{}}', 1],
    ['{"id":1,"op":7,"input":{}}', 1],
    [`{"id":1,"op":"${'x'.repeat(129)}","input":{}}`, 1],
    ['{"id":1,"op":"x","input":{},"extra":1}', 1],
    ['{"id":1,"op":"x","input":{},"progress":1}', 1],
    ['{"id":1,"op":"x","output":{}}', 1],
    ['{"id":1,"cancel":false}', 1],
    ['{"id":1,"cancel":true,"op":"x","input":{}}', 1],
    ['{"hello":{"version":1},"id":1}', 1],
    ['{"hello":{}}', null],
    ['{"hello":{"version":1,"more":1}}', null],
    ['{"hello":{"version":1,"events":"yes"}}', null],
    ['{"id":1,"op":"x","input":[]}', null],
    ['{"id":1,"op":"x","input":{}} ', 1],
  ])('%s', (text, id) => {
    if (text.endsWith(' ')) expect(client(text)).toMatchObject({ kind: 'request', id });
    else expect(client(text)).toMatchObject({ kind: 'malformed', id, error: { code: 'SerializationException' } });
  });

  it('never throw for what is no JSON at all', () => {
    expect(readClientMessage(new Uint8Array(new SharedArrayBuffer(4)))).toMatchObject({ kind: 'malformed' });
  });
});

describe('messages of the server', () => {
  const server = (value: unknown): unknown => {
    const message = readServerMessage(encodeJson(value));
    return message.kind === 'reply' && message.ok ? { ...message, output: Buffer.from(message.output).toString() } : message;
  };

  it('are hellos, replies and events', () => {
    const hello = { version: 1, vaultId: '00'.repeat(16), pid: 5, locked: true, features: ['a'] };
    expect(server({ hello })).toEqual({ kind: 'hello', hello });
    expect(server({ id: 1, ok: true, output: { a: Uint8Array.of(1) }, requestId: 'r' })).toEqual({ kind: 'reply', id: 1, ok: true, output: '{"a":"AQ=="}', requestId: 'r' });
    const error = { code: 'ThrottlingException', message: 'wait', details: { retryAfterSeconds: '1' } };
    expect(server({ id: null, ok: false, error, requestId: 'r' })).toEqual({ kind: 'reply', id: null, ok: false, error, requestId: 'r' });
    const progress = { done: 1, total: 2, unit: 'bytes' };
    expect(server({ event: 'progress', call: 3, progress })).toEqual({ kind: 'event', event: { event: 'progress', call: 3, progress } });
    expect(server({ event: 'key.changed', id: 'k' })).toEqual({ kind: 'event', event: { event: 'key.changed', id: 'k' } });
  });

  it('keep the name of an error that this client does not know', () => {
    expect(server({ id: 1, ok: false, error: { code: 'NewerException', message: 'm' }, requestId: 'r' })).toMatchObject({
      error: { code: 'InternalException', message: '`NewerException`: m' },
    });
  });

  it.each([{}, { id: 1 }, { id: 1, ok: true, requestId: 'r' }, { id: 1, ok: false, requestId: 'r' }, { id: 1, ok: false, error: {}, requestId: 'r' }, { hello: {} }, { id: 'x', ok: true, output: {}, requestId: 'r' }])(
    'refuse %j',
    (value) => {
      expect(() => readServerMessage(encodeJson(value))).toThrow(expect.objectContaining({ code: 'SerializationException' }) as Error);
    },
  );
});
