/** The name of a system's error. */

/** `ENOENT` and the like; undefined for what is not a system error. */
export const errnoOf = (error: unknown): string | undefined => (error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined);
