/** Where it went wrong: the file that is read, the one that is written, or what the first one says. */
import { errnoOf } from '../../shared/model/errno.ts';

export class StreamFailure extends Error {
  readonly where: 'source' | 'target' | 'message';
  readonly code: string;
  constructor(where: StreamFailure['where'], code: string) {
    super(`${where}: ${code}`);
    this.where = where;
    this.code = code;
  }
}

/** For a `catch`: throws. */
export const failing = (where: StreamFailure['where']) => (error: unknown): never => {
  throw error instanceof StreamFailure ? error : new StreamFailure(where, errnoOf(error) ?? 'UNKNOWN');
};
