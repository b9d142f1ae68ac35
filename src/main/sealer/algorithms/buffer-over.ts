/** A Buffer over the same memory, for node:crypto calls that take only that. No copy: wiping one wipes both. */
export const bufferOver = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
