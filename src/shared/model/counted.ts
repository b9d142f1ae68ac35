/** A number with its noun: `1 segment`, `2 segments`. For nouns whose plural ends in s. */
export const counted = (count: number, noun: string): string => `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
