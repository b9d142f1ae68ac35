/** What holds after an unlock by the recovery code, in the words of every place that says it. */
export const LOOK_ONLY = 'until there is a new one, keys and secrets can be looked at but neither used nor changed';
export const RECOVERY_USED = `the recovery code was used: ${LOOK_ONLY}`;
/** Each makes a new code: the first also sets a new password, the second asks for the one there is. */
export const NEW_CODE = { forgotten: 'keystead password change --recovery-code', known: 'keystead slot add --type recovery' } as const;
