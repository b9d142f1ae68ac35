/** `window:` handlers: the settings of the window, the clipboard, and the desktop's dialogs. */
import { declarationOf, isOperationName } from '../../shared/api/index.ts';
import { seconds } from '../../shared/api/operation.ts';
import { copyableFields } from '../../shared/api/window.ts';
import type { WindowConfig } from '../../shared/model/config.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { Instant } from '../../shared/model/ids.ts';
import { disposeSecrets, SecretBytes } from '../../shared/model/secret-bytes.ts';
import { encodeBase64, encodedLength } from '../../shared/wire/base64.ts';
import { decodeJson, isObject } from '../../shared/wire/json.ts';
import { isUtf8 } from '../../shared/wire/utf8.ts';
import type { Call } from '../kernel/handler.ts';
import type { Result } from '../kernel/request.ts';
import type { HandlersOf } from './rights.ts';

/** What the window stands on. What a host has not got is UnsupportedOperationException, with what to do instead. */
export interface WindowControl {
  readonly host: 'electron' | 'chromium' | undefined;
  readonly copies: boolean;
  readonly picks: boolean;
  /** What a typed path means by `~`; absent: nothing. */
  readonly home?: string;
  notifies(): Promise<boolean>;
  settings(): Promise<WindowConfig>;
  change(change: Partial<WindowConfig>): Promise<WindowConfig>;
  /** Takes ownership of `text` (UTF-8) and wipes it. When it is taken out again; undefined: at lock. */
  copy(text: Uint8Array): Promise<Instant | undefined>;
  /** False when there was nothing to take out. */
  clear(): Promise<boolean>;
  /** Undefined: cancelled by the person. */
  pick(signal: AbortSignal): Promise<{ readonly path: string; readonly name: string; readonly size: number } | undefined>;
  /** The path; undefined: cancelled by the person. */
  save(file: { readonly suggestedName: string; readonly content: SecretBytes; readonly isPrivate: boolean }, signal: AbortSignal): Promise<string | undefined>;
  /** Another request of the same window: it goes the one path like any other. */
  ask(operation: string, input: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<Result>;
}

type Encoding = 'text' | 'base64' | 'hex';

const shown = ({ theme, clipboardSeconds, notifications, singleLetterKeys }: WindowConfig) => ({
  Theme: theme,
  ClipboardSeconds: clipboardSeconds,
  Notifications: notifications,
  SingleLetterKeys: singleLetterKeys,
});

export function windowHandlers(control: WindowControl): HandlersOf<'window'> {
  const copy = async (value: SecretBytes, wanted: Encoding | undefined) => {
    const { encoding, text } = value.borrow((bytes) => written(bytes, wanted));
    const clearsAt = await control.copy(text);
    return { Encoding: encoding, Size: value.length, ...(clearsAt === undefined ? {} : { ClearsAt: seconds(clearsAt) }) };
  };
  return {
    'window:DescribeSettings': async () => ({
      ...shown(await control.settings()),
      // Nobody but a window asks.
      Host: control.host ?? 'chromium',
      Copies: control.copies,
      Picks: control.picks,
      Notifies: await control.notifies(),
      ...(control.home === undefined ? {} : { Home: control.home }),
    }),

    'window:UpdateSettings': async ({ Theme, ClipboardSeconds, Notifications, SingleLetterKeys }) =>
      shown(
        await control.change({
          ...(Theme === undefined ? {} : { theme: Theme }),
          ...(ClipboardSeconds === undefined ? {} : { clipboardSeconds: ClipboardSeconds }),
          ...(Notifications === undefined ? {} : { notifications: Notifications }),
          ...(SingleLetterKeys === undefined ? {} : { singleLetterKeys: SingleLetterKeys }),
        }),
      ),

    'window:CopyValue': ({ Value, Encoding }) => copy(Value, Encoding),

    'window:CopyOutput': async ({ Operation, Input, Field, Member, Encoding }, { signal }) => {
      const fields = (isOperationName(Operation) ? copyableFields(declarationOf(Operation)) : []).filter((name) => Field === undefined || name === Field);
      if (fields.length === 0) throw new VaultError('ValidationException', `\`${Field ?? 'the answer'}\` of \`${Operation}\` is not a value that can be copied`);
      const result = await control.ask(Operation, Input, signal);
      if (!result.ok) throw new VaultError(result.error.code, result.error.message, result.error.details ? { details: { ...result.error.details } } : undefined);
      try {
        const value = fields.map((name) => result.output[name]).find((one) => one instanceof SecretBytes);
        if (!value) throw new VaultError('ValidationException', `the answer has no \`${fields.join('` and no `')}\``);
        signal.throwIfAborted();
        using member = Member === undefined ? undefined : memberOf(value, Member);
        return await copy(member ?? value, Encoding);
      } finally {
        disposeSecrets(result.output);
      }
    },

    'window:ClearClipboard': async () => ({ Cleared: await control.clear() }),

    'window:PickFile': async (_input, { signal }: Pick<Call, 'signal'>) => {
      const file = await control.pick(signal);
      return file ? { Path: file.path, Name: file.name, Size: file.size } : {};
    },

    'window:SaveFile': async ({ SuggestedName, Content, Private }, { signal }) => {
      const path = await control.save({ suggestedName: SuggestedName, content: Content, isPrivate: Private }, signal);
      return path === undefined ? {} : { Path: path };
    },
  };
}

/** Of an object of JSON; what is no text is its JSON. A string while it is read, since JSON is. Throws ValidationException. */
function memberOf(value: SecretBytes, name: string): SecretBytes {
  const member = value.borrow((bytes) => {
    try {
      const members = decodeJson(bytes);
      return isObject(members) && Object.hasOwn(members, name) ? members[name] : undefined;
    } catch {
      return undefined;
    }
  });
  if (member === undefined) throw new VaultError('ValidationException', 'the value is no object of json with this member');
  return SecretBytes.take(new TextEncoder().encode(typeof member === 'string' ? member : JSON.stringify(member)));
}

const TAB = 9;
const LINE_FEED = 10;
const RETURN = 13;
const SPACE = 32;
const DELETE = 127;
/** What a person could have typed. */
const isText = (bytes: Uint8Array): boolean => isUtf8(bytes) && bytes.every((byte) => (byte >= SPACE && byte !== DELETE) || byte === TAB || byte === LINE_FEED || byte === RETURN);

/** The text of a value in bytes of its own, never a string. Throws ValidationException for text that is none. */
function written(bytes: Uint8Array, wanted: Encoding | undefined): { readonly encoding: Encoding; readonly text: Uint8Array } {
  const encoding = wanted ?? (isText(bytes) ? 'text' : 'base64');
  if (encoding === 'text' && !isUtf8(bytes)) throw new VaultError('ValidationException', 'the value is not text; copy it as `base64` or `hex`');
  return { encoding, text: WRITTEN[encoding](bytes) };
}

const bytesOf = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(new ArrayBuffer(length));
const DIGITS = '0123456789abcdef';

const WRITTEN: Readonly<Record<Encoding, (bytes: Uint8Array) => Uint8Array>> = {
  text(bytes) {
    const text = bytesOf(bytes.length);
    text.set(bytes);
    return text;
  },
  base64(bytes) {
    const text = bytesOf(encodedLength(bytes.length));
    encodeBase64(bytes, text, 0);
    return text;
  },
  hex(bytes) {
    const text = bytesOf(bytes.length * 2);
    bytes.forEach((byte, at) => {
      text[at * 2] = DIGITS.charCodeAt(byte >> 4);
      text[at * 2 + 1] = DIGITS.charCodeAt(byte & 15);
    });
    return text;
  },
};
