/** Electron's clipboard: a value in bytes, with the mark by which the platform's clipboard histories leave it out. */
import { createHash } from 'node:crypto';
import { VaultError } from '../../../shared/model/errors.ts';
import type { Clipboard } from '../port.ts';
import type { ElectronApi } from './api.ts';

type Marks = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

const ANYTHING = new TextEncoder().encode('1');
/** A DWORD of zero. */
const NO = new Uint8Array(4);

/**
 * Klipper and others: KDE's `x-kde-passwordManagerHint`. macOS: nspasteboard.org. Windows: "Cloud Clipboard and Clipboard History Formats" of the
 * Win32 documentation.
 */
const MARKS: Readonly<Record<string, Marks>> = {
  linux: { 'x-kde-passwordManagerHint': new TextEncoder().encode('secret') },
  darwin: { 'org.nspasteboard.ConcealedType': ANYTHING },
  win32: { ExcludeClipboardContentFromMonitorProcessing: ANYTHING, CanIncludeInClipboardHistory: NO, CanUploadToCloudClipboard: NO },
};

const TEXT = 'text/plain';
const ofSystem = (format: string): string => `electron application/osclipboard;format="${format}"`;
const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export function clipboardOf({ clipboard, ClipboardItem }: Pick<ElectronApi, 'clipboard' | 'ClipboardItem'>, platform: string = process.platform): Clipboard {
  /** Of what was put there last; the value itself is not kept. */
  let ours: string | undefined;
  const put = (text: Uint8Array<ArrayBuffer>, marks: Marks): Promise<void> => {
    const payloads = { [TEXT]: text, ...Object.fromEntries(Object.entries(marks).map(([format, payload]) => [ofSystem(format), payload])) };
    return clipboard.write([new ClipboardItem(Object.fromEntries(Object.entries(payloads).map(([type, bytes]) => [type, new Blob([bytes], { type })])))]);
  };
  return {
    async write(text) {
      const own = new Uint8Array(new ArrayBuffer(text.length));
      own.set(text);
      text.fill(0);
      const before = ours;
      ours = digestOf(own);
      try {
        // Not without its mark: a history would keep it.
        await put(own, MARKS[platform] ?? {});
      } catch (error) {
        ours = before;
        throw new VaultError('InternalException', 'the clipboard does not take it; reveal the value and copy it by hand', { cause: error });
      } finally {
        own.fill(0);
      }
    },
    async clear() {
      const wanted = ours;
      ours = undefined;
      if (wanted === undefined) return false;
      try {
        if (digestOf(new TextEncoder().encode(await clipboard.readText())) !== wanted) return false;
        clipboard.clear();
        return true;
      } catch {
        // It holds something that is no text.
        return false;
      }
    },
  };
}
