/** The query of the vault's state: the one that outlives a lock. */
export const STATUS = ['status'] as const;
