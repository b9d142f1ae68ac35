/**
 * The closed table of errors. Every failure that crosses a door is one of these codes; AWS's names where AWS has one.
 * A message is lowercase, without a full stop, holds the user's own input only in backticks, and says what to do next.
 * It never holds a value, a key or a password.
 */

type Row = readonly [fault: 'caller' | 'vault', http: number, retryable: boolean, exit: number];

/** Exit codes of the command line. */
export const EXIT = {
  ok: 0,
  usage: 2,
  locked: 3,
  denied: 4,
  notFound: 5,
  wrongPassword: 6,
  notRunning: 7,
  conflict: 8,
  tampered: 9,
  cancelled: 10,
  internal: 70,
} as const;

export const ERRORS = {
  // the request itself
  ValidationException: ['caller', 400, false, EXIT.usage],
  SerializationException: ['caller', 400, false, EXIT.usage],
  UnknownOperationException: ['caller', 404, false, EXIT.usage],
  RequestTooLargeException: ['caller', 413, false, EXIT.usage],
  ThrottlingException: ['caller', 400, true, EXIT.conflict],
  AccessDeniedException: ['caller', 400, false, EXIT.denied],
  CancelledException: ['caller', 400, false, EXIT.cancelled],
  // who asks, at the door for AWS clients, with AWS's own names
  MissingAuthenticationTokenException: ['caller', 400, false, EXIT.denied],
  IncompleteSignatureException: ['caller', 400, false, EXIT.denied],
  InvalidSignatureException: ['caller', 400, false, EXIT.denied],
  UnrecognizedClientException: ['caller', 400, false, EXIT.denied],
  // the vault
  VaultLockedException: ['caller', 400, false, EXIT.locked],
  VaultNotFoundException: ['caller', 400, false, EXIT.notFound],
  VaultExistsException: ['caller', 400, false, EXIT.conflict],
  VaultInUseException: ['caller', 400, false, EXIT.conflict],
  VaultReadOnlyException: ['vault', 400, false, EXIT.tampered],
  VaultTamperedException: ['vault', 400, false, EXIT.tampered],
  VaultTooNewException: ['vault', 400, false, EXIT.conflict],
  HeaderRefusedException: ['vault', 400, false, EXIT.tampered],
  IncorrectPasswordException: ['caller', 400, false, EXIT.wrongPassword],
  IncorrectRecoveryCodeException: ['caller', 400, false, EXIT.wrongPassword],
  UnlockDelayedException: ['caller', 400, true, EXIT.wrongPassword],
  KeychainUnavailableException: ['vault', 400, false, EXIT.conflict],
  SlotNotFoundException: ['caller', 400, false, EXIT.notFound],
  LastSlotException: ['caller', 400, false, EXIT.conflict],
  TrailUnavailableException: ['vault', 500, false, EXIT.internal],
  TrailBrokenException: ['vault', 400, false, EXIT.tampered],
  TrailIntactException: ['caller', 400, false, EXIT.conflict],
  StorageFullException: ['vault', 507, false, EXIT.internal],
  StorageException: ['vault', 500, false, EXIT.internal],
  FileNotReadableException: ['caller', 400, false, EXIT.notFound],
  FileExistsException: ['caller', 400, false, EXIT.conflict],
  PortUnavailableException: ['caller', 400, false, EXIT.conflict],
  SealerStoppedException: ['vault', 500, true, EXIT.internal],
  InternalException: ['vault', 500, false, EXIT.internal],
  // KMS, with AWS's own names
  NotFoundException: ['caller', 400, false, EXIT.notFound],
  AlreadyExistsException: ['caller', 400, false, EXIT.conflict],
  DisabledException: ['caller', 400, false, EXIT.conflict],
  KMSInvalidStateException: ['caller', 400, false, EXIT.conflict],
  InvalidKeyUsageException: ['caller', 400, false, EXIT.usage],
  InvalidCiphertextException: ['caller', 400, false, EXIT.tampered],
  IncorrectKeyException: ['caller', 400, false, EXIT.conflict],
  InvalidAliasNameException: ['caller', 400, false, EXIT.usage],
  InvalidArnException: ['caller', 400, false, EXIT.usage],
  InvalidMarkerException: ['caller', 400, false, EXIT.usage],
  LimitExceededException: ['caller', 400, false, EXIT.conflict],
  TagException: ['caller', 400, false, EXIT.usage],
  UnsupportedOperationException: ['caller', 400, false, EXIT.usage],
  KMSInvalidSignatureException: ['caller', 400, false, EXIT.tampered],
  KMSInvalidMacException: ['caller', 400, false, EXIT.tampered],
  /** What was asked for with `DryRun`: everything but the deed went well, so a script sees success. */
  DryRunOperationException: ['caller', 412, false, EXIT.ok],
  IncorrectKeyMaterialException: ['caller', 400, false, EXIT.conflict],
  InvalidImportTokenException: ['caller', 400, false, EXIT.usage],
  ExpiredImportTokenException: ['caller', 400, false, EXIT.conflict],
  KMSInternalException: ['vault', 500, true, EXIT.internal],
  KeyUnavailableException: ['vault', 500, true, EXIT.internal],
  // custom key stores, with AWS's own names; a cluster is a token here
  CustomKeyStoreNotFoundException: ['caller', 400, false, EXIT.notFound],
  CustomKeyStoreNameInUseException: ['caller', 400, false, EXIT.conflict],
  CustomKeyStoreInvalidStateException: ['caller', 400, false, EXIT.conflict],
  CustomKeyStoreHasCMKsException: ['caller', 400, false, EXIT.conflict],
  CloudHsmClusterNotFoundException: ['caller', 400, false, EXIT.notFound],
  CloudHsmClusterNotActiveException: ['caller', 400, false, EXIT.conflict],
  CloudHsmClusterInUseException: ['caller', 400, false, EXIT.conflict],
  CloudHsmClusterInvalidConfigurationException: ['caller', 400, false, EXIT.conflict],
  CloudHsmClusterNotRelatedException: ['caller', 400, false, EXIT.conflict],
  IncorrectTrustAnchorException: ['caller', 400, false, EXIT.usage],
  // tokens
  IncorrectPinException: ['caller', 400, false, EXIT.wrongPassword],
  PinLockedException: ['caller', 400, false, EXIT.conflict],
  ModuleRefusedException: ['caller', 400, false, EXIT.conflict],
  // Secrets Manager, with AWS's own names
  ResourceNotFoundException: ['caller', 400, false, EXIT.notFound],
  ResourceExistsException: ['caller', 400, false, EXIT.conflict],
  InvalidRequestException: ['caller', 400, false, EXIT.conflict],
  InvalidParameterException: ['caller', 400, false, EXIT.usage],
  InvalidNextTokenException: ['caller', 400, false, EXIT.usage],
  PreconditionNotMetException: ['caller', 400, false, EXIT.conflict],
  EncryptionFailure: ['caller', 400, false, EXIT.conflict],
  DecryptionFailure: ['caller', 400, false, EXIT.tampered],
  InternalServiceError: ['vault', 500, true, EXIT.internal],
  // what people bring from elsewhere
  ImportFormatException: ['caller', 400, false, EXIT.usage],
  ImportNotFoundException: ['caller', 400, false, EXIT.notFound],
} as const satisfies Record<string, Row>;

export type ErrorCode = keyof typeof ERRORS;

/** What crosses a door: a value, never a thrown error. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  /** Facts a caller can act on, for example `{ retryAfterSeconds: '4' }`; never a secret. */
  readonly details?: Readonly<Record<string, string>>;
}

export class VaultError extends Error {
  override readonly name = 'VaultError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, string>> | undefined;
  constructor(code: ErrorCode, message: string, options?: { details?: Record<string, string>; cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options?.details;
  }
  toBody(): ErrorBody {
    return { code: this.code, message: this.message, ...(this.details ? { details: this.details } : {}) };
  }
}

/** The one answer to every ciphertext that does not open, whatever the reason: a finer one would be an oracle. */
export const invalidCiphertext = (): VaultError =>
  new VaultError('InvalidCiphertextException', 'the ciphertext does not open: check that it is whole, its key, and the encryption context that it was made with');

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);
export const exitCodeOf = (code: ErrorCode): number => ERRORS[code][3];
