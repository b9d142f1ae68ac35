/** SQLite's failures as the vault's own errors. Primary result codes: https://sqlite.org/rescode.html. */
import { VaultError } from '../../shared/model/errors.ts';

const PERM = 3;
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;
const CONSTRAINT_PRIMARYKEY = 1555;
const CONSTRAINT_UNIQUE = 2067;
const ENOSPC = 28;
const EDQUOT = 122;

const numberOf = (error: unknown, field: 'errcode' | 'systemErrno'): number | undefined => {
  if (!(error instanceof Error) || !(field in error)) return undefined;
  const value: unknown = Reflect.get(error, field);
  return typeof value === 'number' ? value : undefined;
};

/** The primary result code (0–255); undefined for what is not SQLite's error. */
const primaryCodeOf = (error: unknown): number | undefined => {
  const code = numberOf(error, 'errcode');
  return code === undefined ? undefined : code & 0xff;
};

/** A row with this id or this blind index is there already. */
export const isUniqueViolation = (error: unknown): boolean => {
  const code = numberOf(error, 'errcode');
  return code === CONSTRAINT_UNIQUE || code === CONSTRAINT_PRIMARYKEY;
};

/** The disk failed rather than filled up: what the kernel still holds of the file can no longer be trusted. */
export const isDiskFailure = (error: unknown): boolean => primaryCodeOf(error) === IOERR && !isFull(error);

/** Could not be opened for a reason that a read-only medium explains. */
export const isUnwritable = (error: unknown): boolean => {
  const code = primaryCodeOf(error);
  return code === CANTOPEN || code === READONLY || code === PERM;
};

const isFull = (error: unknown): boolean => {
  const errno = numberOf(error, 'systemErrno');
  return primaryCodeOf(error) === FULL || errno === ENOSPC || errno === EDQUOT;
};

/** Any failure of SQLite; a `VaultError` passes unchanged. Never holds SQL or values. */
export function storeError(action: string, error: unknown): VaultError {
  if (error instanceof VaultError) return error;
  const what = `cannot ${action} the vault's database`;
  if (isFull(error)) return new VaultError('StorageFullException', `${what}: the disk is full, free some space and try again`, { cause: error });
  switch (primaryCodeOf(error)) {
    case CORRUPT:
    case NOTADB:
      return new VaultError('VaultTamperedException', `${what}: the file is damaged, restore the vault's folder from a copy`, { cause: error });
    case BUSY:
    case LOCKED:
      return new VaultError('VaultInUseException', `${what}: another program has it open, close that program and try again`, { cause: error });
    case READONLY:
    case PERM:
      return new VaultError('StorageException', `${what}: it is read-only, check the mode and the owner of the vault's folder`, { cause: error });
    case CANTOPEN:
      return new VaultError('StorageException', `${what}: it is not there or may not be opened, check the mode and the owner of the vault's folder`, { cause: error });
    case IOERR:
      return new VaultError('StorageException', `${what}: the disk reported an error, check the disk, then lock and unlock the vault`, { cause: error });
    case undefined:
      return new VaultError('StorageException', `${what}: see the diagnostic log, then lock and unlock the vault`, { cause: error });
    default:
      return new VaultError('StorageException', `${what}: SQLite says ${String(numberOf(error, 'errcode'))}, see the diagnostic log`, { cause: error });
  }
}
