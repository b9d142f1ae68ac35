/**
 * Whether a text is the name of a host, or an IP address: what a connection may be opened to. Stricter than URLs and resolvers are, which
 * take `0x7f.1` and `2130706433` for 127.0.0.1, other letters for ASCII's, and `fe80::1%eth0` for one of several hosts. Pure.
 */

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
/** Its characters only: whether it is one is the system's to say, which has no other reading of it. A zone (RFC 4007) is none. */
const IPV6 = /^(?=.*:.*:)[0-9a-f:.]{2,45}$/i;
/** RFC 952, RFC 1123; underscores as names of services in containers have them. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;
/** What resolvers read as a number, and so as an address: WHATWG URL, "ends in a number". */
const NUMBER = /^(?:\d+|0x[0-9a-f]*)$/i;
/** RFC 1035, section 2.3.4, without the dot at the end. */
const LONGEST = 253;

/** A name of ASCII letters (`xn--…` for others), with or without a dot at its end; an IPv4 address in four decimal parts; an IPv6 address, also in brackets. */
export function isHost(text: string): boolean {
  if (text.startsWith('[')) return text.endsWith(']') && IPV6.test(text.slice(1, -1));
  if (IPV4.test(text) || IPV6.test(text)) return true;
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  const labels = name.split('.');
  return name.length <= LONGEST && labels.every((label) => LABEL.test(label)) && !NUMBER.test(labels.at(-1) ?? '');
}
