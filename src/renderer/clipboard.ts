/** What a page hands over: public text to the clipboard, and a file to a place that the person chooses. */
import { SecretBytes } from '../shared/model/secret-bytes.ts';
import { client } from './client.ts';
import { windowState } from './window-state.ts';

/** False when the host refuses. For public text only: a value is copied by the vault's process (`parts/copy-value.tsx`). */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

interface Picker {
  showSaveFilePicker(options: { suggestedName: string }): Promise<FileSystemFileHandle>;
}

/** Electron has the function and not the permission, and always a dialog of its own. */
const picker = (): Picker | undefined => ('showSaveFilePicker' in window && windowState().Host === 'chromium' ? (window as unknown as Picker) : undefined);
export const canSave = (): boolean => windowState().Picks || picker() !== undefined;

/** cancelled: the person chose no place. refused: it could not be written. */
export async function saveFile(suggestedName: string, bytes: Uint8Array<ArrayBuffer>, isPrivate = false): Promise<'saved' | 'cancelled' | 'refused'> {
  if (windowState().Picks) {
    const answer = await client.window.saveFile({ SuggestedName: suggestedName, Content: SecretBytes.copy(bytes), Private: isPrivate });
    return !answer.ok ? 'refused' : answer.output.Path === undefined ? 'cancelled' : 'saved';
  }
  try {
    const handle = await picker()?.showSaveFilePicker({ suggestedName });
    if (!handle) return 'refused';
    const file = await handle.createWritable();
    await file.write(bytes);
    await file.close();
    return 'saved';
  } catch (error) {
    return error instanceof DOMException && error.name === 'AbortError' ? 'cancelled' : 'refused';
  }
}
