/**
 * The clipboard of an X11 display (ICCCM, section 2): this process itself gives the value to whoever pastes it, so that it is in no other
 * program's memory, argument or file until then, and is gone with this process. Marked for KDE's and other histories as not theirs to keep.
 */
import { createHash } from 'node:crypto';
import { VaultError } from '../../../../shared/model/errors.ts';
import { SecretBytes } from '../../../../shared/model/secret-bytes.ts';
import type { Clipboard } from '../../port.ts';
import { authorityFor } from './authority.ts';
import { connectX, displayNumber, type XConnection, type XEvent } from './connection.ts';
import { ATOM, changeProperty, convertSelection, createWindow, destroyWindow, getSelectionOwner, internAtom, NONE, selectionNotify, setSelectionOwner, takeProperty } from './requests.ts';

const NAMES = ['CLIPBOARD', 'TARGETS', 'UTF8_STRING', 'text/plain;charset=utf-8', 'text/plain', 'STRING', 'TEXT', 'x-kde-passwordManagerHint', 'KEYSTEAD'] as const;
type Atoms = Readonly<Record<(typeof NAMES)[number], number>>;
const HINT = 'x-kde-passwordManagerHint';
const AS_TEXT = ['UTF8_STRING', 'text/plain;charset=utf-8', 'text/plain', 'STRING', 'TEXT'] as const;

/** Events of the server itself; one that another client sent has the high bit set. */
const SELECTION_CLEAR = 29;
const SELECTION_REQUEST = 30;
const SELECTION_NOTIFY = 31;
const SENT = 0x80;
/** In units of four bytes: more than is ever put there. */
const MOST = 65_536;
const WITHIN = 1000;

type Environment = Readonly<Record<string, string | undefined>>;

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Undefined where there is no display of this machine. */
export function xClipboard(env: Environment): Clipboard | undefined {
  const number = displayNumber(env['DISPLAY']);
  if (number === undefined) return undefined;
  let held: Held | undefined;
  return {
    async write(text) {
      try {
        const connection = await connectX(number, authorityFor(number, env));
        const next = await hold(connection, text).catch((error: unknown) => {
          connection.close();
          throw error;
        });
        held?.end();
        held = next;
      } finally {
        text.fill(0);
      }
    },
    async clear() {
      const was = held;
      held = undefined;
      try {
        return (await was?.takeAway()) ?? false;
      } catch {
        // The display has gone, and the clipboard with it.
        return false;
      } finally {
        was?.end();
      }
    },
  };
}

interface Held {
  /** False when the clipboard holds something else by now. */
  takeAway(): Promise<boolean>;
  end(): void;
}

/** The clipboard holds it when this resolves. */
async function hold(connection: XConnection, text: Uint8Array): Promise<Held> {
  const { root, freshId: window, send, ask } = connection;
  const value = SecretBytes.copy(text);
  const digest = digestOf(text);
  const end = (): void => {
    connection.close();
    value[Symbol.dispose]();
  };
  try {
    send(createWindow(window, root));
    const atoms = await atomsOf(connection);
    let converted: (property: number) => void = () => undefined;
    connection.onEvent((event) => {
      const kind = event.getUint8(0);
      if (kind === SELECTION_CLEAR && event.getUint32(12, true) === atoms.CLIPBOARD) value[Symbol.dispose]();
      else if (kind === SELECTION_REQUEST && !value.disposed) answer(connection, atoms, value, event);
      else if ((kind & ~SENT) === SELECTION_NOTIFY) converted(event.getUint32(20, true));
    });
    send(setSelectionOwner(window, atoms.CLIPBOARD));
    const owner = async (): Promise<number> => (await ask(getSelectionOwner(atoms.CLIPBOARD))).getUint32(8, true);
    if ((await owner()) !== window) throw new VaultError('InternalException', 'the clipboard is not given away by the program that has it; try again');

    /** Whether somebody else, such as a history of the desktop, holds the same text in our place. */
    const isKeptElsewhere = async (): Promise<boolean> => {
      if ((await owner()) === NONE) return false;
      const property = await new Promise<number>((resolve) => {
        const timer = setTimeout(() => resolve(NONE), WITHIN);
        converted = (given) => {
          clearTimeout(timer);
          resolve(given);
        };
        send(convertSelection(window, atoms.CLIPBOARD, atoms.UTF8_STRING, atoms.KEYSTEAD));
      });
      if (property === NONE) return false;
      const reply = await ask(takeProperty(window, property, MOST));
      const there = new Uint8Array(reply.buffer, 32, Math.min(reply.getUint32(16, true), reply.byteLength - 32));
      const same = reply.getUint8(1) === 8 && digestOf(there) === digest;
      there.fill(0);
      return same;
    };
    return {
      async takeAway() {
        if ((await owner()) !== window) {
          if (!(await isKeptElsewhere())) return false;
          send(setSelectionOwner(window, atoms.CLIPBOARD));
        }
        // What this window owns goes with it, and nothing that somebody else has put there in this moment.
        send(destroyWindow(window));
        await owner();
        return true;
      },
      end,
    };
  } catch (error) {
    end();
    throw error;
  }
}

async function atomsOf({ ask }: XConnection): Promise<Atoms> {
  const numbers = await Promise.all(NAMES.map((name) => ask(internAtom(name))));
  return Object.fromEntries(NAMES.map((name, at) => [name, numbers[at]?.getUint32(8, true) ?? NONE])) as Atoms;
}

/** One who pastes: the text, or what there is. */
function answer({ send }: XConnection, atoms: Atoms, value: SecretBytes, event: XEvent): void {
  const asked = { time: event.getUint32(4, true), requestor: event.getUint32(12, true), selection: event.getUint32(16, true), target: event.getUint32(20, true) };
  // Clients of old name no property; the target's name is meant then.
  const property = event.getUint32(24, true) || asked.target;
  const give = (type: number, format: 8 | 32, data: Uint8Array): void => {
    send(changeProperty(asked.requestor, property, type, format, data));
    send(selectionNotify(asked, property));
  };
  if (asked.selection !== atoms.CLIPBOARD) return send(selectionNotify(asked, NONE));
  if (asked.target === atoms.TARGETS) {
    const targets = Uint32Array.from([atoms.TARGETS, ...AS_TEXT.map((name) => atoms[name]), atoms[HINT]]);
    return give(ATOM, 32, new Uint8Array(targets.buffer));
  }
  if (asked.target === atoms[HINT]) return give(asked.target, 8, new TextEncoder().encode('secret'));
  if (!AS_TEXT.some((name) => atoms[name] === asked.target)) return send(selectionNotify(asked, NONE));
  // TEXT is answered in the encoding of the owner's choice.
  value.borrow((bytes) => give(asked.target === atoms.TEXT ? atoms.UTF8_STRING : asked.target, 8, bytes));
}
