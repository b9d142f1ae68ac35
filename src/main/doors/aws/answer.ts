/** A result as AWS's JSON 1.1 protocol writes it. Pure. */
import { declarationOf, type Name } from '../../../shared/api/index.ts';
import { secretTexts } from '../../../shared/api/operation.ts';
import { ERRORS, VaultError, type ErrorBody, type ErrorCode } from '../../../shared/model/errors.ts';
import { disposeSecrets } from '../../../shared/model/secret-bytes.ts';
import { encodeJson } from '../../../shared/wire/encode.ts';
import type { Result } from '../../kernel/request.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** To be wiped once it is written. */
  readonly body: Uint8Array;
  readonly error?: string;
}

/** Faults of ours have one name in each of AWS's services. */
const FAULTS: ReadonlySet<ErrorCode> = new Set(['InternalException', 'SealerStoppedException', 'StorageException', 'KMSInternalException']);
const faultOf = (operation: Name | undefined): ErrorCode => (operation?.startsWith('secretsmanager:') === true ? 'InternalServiceError' : 'KMSInternalException');

/** Twenty values of 65,536 bytes, each byte written as `\u00xx`, and what is around them. */
const LONGEST = 9 * 1024 * 1024;

const headersOf = (requestId: string, body: Uint8Array): Readonly<Record<string, string>> => ({
  'Content-Type': 'application/x-amz-json-1.1',
  'Content-Length': String(body.byteLength),
  'x-amzn-RequestId': requestId,
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
});

/** `status`: where HTTP's is another than the error's own. */
export function errorAnswer(requestId: string, { code, message }: Pick<ErrorBody, 'code' | 'message'>, operation?: Name, status?: number): Answer {
  const shown = FAULTS.has(code) ? faultOf(operation) : code;
  const body = encodeJson({ __type: shown, message });
  return { status: status ?? ERRORS[shown][1], headers: { ...headersOf(requestId, body), 'x-amzn-ErrorType': shown }, body, error: shown };
}

/** AWS answers with nothing at all where there is nothing to say. */
export function emptyAnswer(requestId: string): Answer {
  const body = new Uint8Array(0);
  return { status: 200, headers: headersOf(requestId, body), body };
}

/** Takes the output over: its secrets are wiped. */
export function answerOf(operation: Name, result: Result): Answer {
  if (!result.ok) return errorAnswer(result.requestId, result.error, operation);
  try {
    const declaration = declarationOf(operation);
    if (Object.keys(result.output).length === 0) return emptyAnswer(result.requestId);
    const body = encodeJson(result.output, { secretTexts: secretTexts(declaration.output), limit: LONGEST });
    return { status: 200, headers: headersOf(result.requestId, body), body };
  } catch (error) {
    const known = error instanceof VaultError && error.code === 'RequestTooLargeException' ? error : new VaultError('KMSInternalException', 'the answer could not be written; see the diagnostic log');
    return errorAnswer(result.requestId, known, operation);
  } finally {
    disposeSecrets(result.output);
  }
}
