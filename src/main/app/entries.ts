/** Where the built modules are that run in processes and threads of their own: beside this one. */
import { fileURLToPath } from 'node:url';

/** Absolute path of a file that was built beside this one. */
export const besideThis = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export const ENTRIES = {
  sealer: besideThis('./sealer.mjs'),
  keychain: besideThis('./keychain.mjs'),
  cipher: besideThis('./cipher.mjs'),
  pkcs11: besideThis('./pkcs11.mjs'),
  egress: besideThis('./egress.mjs'),
  importer: besideThis('./importer.mjs'),
  hashWorker: new URL('./hash-worker.mjs', import.meta.url),
};
