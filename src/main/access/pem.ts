/** Text of certificates and of what asks for them; public, all of it. */

/** RFC 7468: `label` such as `CERTIFICATE`. */
export const pemOf = (label: string, der: Uint8Array): string => {
  const text = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64');
  return `-----BEGIN ${label}-----\n${(text.match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`;
};
