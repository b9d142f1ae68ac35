/**
 * Addresses that are never connected to, whatever name led there and whoever allowed it: link-local ones and the metadata services of
 * clouds, which hand out credentials to whoever asks from this machine; multicast, broadcast and "this network". Pure.
 *
 * This machine's own and private networks are not among them: that is where developers' databases are.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** RFC 6890, RFC 3927, RFC 5771; Azure's, Alibaba's and Oracle's metadata services outside of link-local. */
const IPV4 = [['0.0.0.0', 8], ['169.254.0.0', 16], ['224.0.0.0', 4], ['240.0.0.0', 4], ['168.63.129.16', 32], ['100.100.100.200', 32], ['192.0.0.192', 32]] as const;
/** RFC 4291; Amazon's and Google's metadata services. */
const IPV6 = [['::', 128], ['fe80::', 10], ['fec0::', 10], ['ff00::', 8], ['fd00:ec2::', 32], ['fd20:ce::', 32],
  // Ways to an IPv4 network that nobody has a database behind: local NAT64 (RFC 8215), SIIT (RFC 2765), Teredo (RFC 4380).
  ['64:ff9b:1::', 48], ['::ffff:0:0:0', 96], ['2001::', 32]] as const;
/** Where an IPv6 address has an IPv4 address inside: mapped (RFC 4291), NAT64 (RFC 6052), compatible (RFC 4291). */
const EMBEDDING = ['::ffff:', '64:ff9b::', '::'];

const refused = new BlockList();
for (const [net, prefix] of IPV6) refused.addSubnet(net, prefix, 'ipv6');
for (const [net, prefix] of IPV4) {
  refused.addSubnet(net, prefix, 'ipv4');
  // `::` and `::1`, which begin a subnet of the compatible ones, are said above, or this machine's own.
  for (const begin of EMBEDDING) if (begin !== '::' || prefix > 8 || net !== '0.0.0.0') refused.addSubnet(`${begin}${net}`, 96 + prefix, 'ipv6');
  // 6to4 (RFC 3056): the IPv4 address is the second to sixth byte.
  const [a = 0, b = 0, c = 0, d = 0] = net.split('.').map(Number);
  refused.addSubnet(`2002:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}::`, 16 + prefix, 'ipv6');
}

/** True also for anything that is no address. */
export function isRefused(address: string): boolean {
  const [bare = '', zone] = address.split('%');
  if (zone !== undefined) return true;
  if (isIPv4(bare)) return refused.check(bare, 'ipv4');
  return !isIPv6(bare) || refused.check(bare, 'ipv6');
}

/** This machine itself. */
const own = new BlockList();
own.addSubnet('127.0.0.0', 8, 'ipv4');
own.addAddress('::1', 'ipv6');
own.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');
export const isLoopback = (address: string): boolean => own.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
