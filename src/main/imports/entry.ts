/** The process that reads one file of another program's, and is killed. It is given the file's bytes, no path, and nothing of the vault. */
import { childPort } from '../platform/child-port.ts';
import { harden } from '../platform/harden.ts';
import { encodeFailure, encodeParsed } from './messages.ts';
import { parseImport } from './parse.ts';
import { ImportFailure } from './parsed.ts';

harden();
const port = childPort();

port.onFrame((frame) => {
  try {
    port.send(encodeParsed(parseImport(frame)));
  } catch (error) {
    port.send(encodeFailure(error instanceof ImportFailure ? error : new ImportFailure('unreadable')));
  } finally {
    frame.fill(0);
  }
});
void port.closed.then(() => process.exit(0));
