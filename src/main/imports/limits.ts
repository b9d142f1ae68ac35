/** What one file may have at most. */

/** Bytes of a file. */
export const MOST_BYTES = 16 * 1024 * 1024;
export const MOST_ENTRIES = 20_000;
/** Of all entries together. */
export const MOST_FIELDS = 200_000;
export const MOST_NAME = 256;
/** Objects, lists and groups inside one another. */
export const MOST_DEPTH = 32;
/** Elements of XML inside one another. */
export const MOST_ELEMENTS_DEEP = 64;
