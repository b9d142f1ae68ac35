/** Requests of the X11 protocol, by their numbers in its appendix B; 32-bit fields after a head of four bytes. */
import { padded } from './connection.ts';

export const ANY_TIME = 0;
export const NONE = 0;
/** Predefined atoms. */
export const ATOM = 4;

function request(opcode: number, detail: number, fields: readonly number[], data: Uint8Array = new Uint8Array()): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(new ArrayBuffer(4 + fields.length * 4 + padded(data.length)));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, opcode);
  view.setUint8(1, detail);
  view.setUint16(2, bytes.length / 4, true);
  fields.forEach((field, at) => view.setUint32(4 + at * 4, field, true));
  bytes.set(data, 4 + fields.length * 4);
  return bytes;
}

const INPUT_ONLY = 2;
/** A window that is never shown, of one pixel. */
export const createWindow = (id: number, root: number): Uint8Array => request(1, 0, [id, root, 0, 1 | (1 << 16), INPUT_ONLY << 16, 0, 0]);
export const destroyWindow = (id: number): Uint8Array => request(4, 0, [id]);
export const internAtom = (name: string): Uint8Array => request(16, 0, [name.length], new TextEncoder().encode(name));
/** `format`: bits of an element, 8 or 32. */
export const changeProperty = (window: number, property: number, type: number, format: 8 | 32, data: Uint8Array): Uint8Array =>
  request(18, 0, [window, property, type, format, data.length / (format / 8)], data);
/** And removes it. `most`: in units of four bytes. */
export const takeProperty = (window: number, property: number, most: number): Uint8Array => request(20, 1, [window, property, 0, 0, most]);
export const setSelectionOwner = (window: number, selection: number): Uint8Array => request(22, 0, [window, selection, ANY_TIME]);
export const getSelectionOwner = (selection: number): Uint8Array => request(23, 0, [selection]);
export const convertSelection = (window: number, selection: number, target: number, property: number): Uint8Array => request(24, 0, [window, selection, target, property, ANY_TIME]);

const SELECTION_NOTIFY = 31;
/** The answer to one who wants the selection; `property` NONE: not so. */
export function selectionNotify(asked: { readonly time: number; readonly requestor: number; readonly selection: number; readonly target: number }, property: number): Uint8Array {
  const event = new Uint8Array(new ArrayBuffer(32));
  const view = new DataView(event.buffer);
  view.setUint8(0, SELECTION_NOTIFY);
  [asked.time, asked.requestor, asked.selection, asked.target, property].forEach((field, at) => view.setUint32(4 + at * 4, field, true));
  return request(25, 0, [asked.requestor, 0], event);
}
