/** What a page can hand over by itself: public text to the clipboard, and a file where the host has a way to choose its place. */

/** False when the host refuses. For public text only: a value is never copied from the page. */
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

const picker = (): Picker | undefined => ('showSaveFilePicker' in window ? (window as unknown as Picker) : undefined);
export const canSave = (): boolean => picker() !== undefined;

/** cancelled: the person chose no place. refused: the host does not let a page write a file. */
export async function saveFile(suggestedName: string, bytes: Uint8Array<ArrayBuffer>): Promise<'saved' | 'cancelled' | 'refused'> {
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
