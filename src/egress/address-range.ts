import { BlockList, isIPv4, isIPv6 } from "node:net";

/** `public`, `private` (reached only where named), or `never` (nothing that a step has business with). */
export type AddressRange = "public" | "private" | "never";

const privateRanges: readonly (readonly [string, number])[] = [
  ["127.0.0.0", 8],
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
  ["198.18.0.0", 15],
  ["::1", 128],
  ["fc00::", 7],
  ["fec0::", 10],
];

const neverRanges: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  // Link-local: the metadata services of clouds.
  ["169.254.0.0", 16],
  ["192.0.0.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  ["::", 128],
  ["fe80::", 10],
  ["ff00::", 8],
  // Addresses that carry another one inside: 6to4, Teredo, NAT64.
  ["2002::", 16],
  ["2001::", 32],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
];

const privateList = listOf(privateRanges);
const neverList = listOf(neverRanges);

/** Where an address lies; an IPv4 address inside an IPv6 one counts as itself. */
export function addressRange(address: string): AddressRange {
  const plain = unmapped(address);
  if (!isIPv4(plain) && !isIPv6(plain)) return "never";
  const family = isIPv4(plain) ? "ipv4" : "ipv6";
  if (neverList.check(plain, family)) return "never";
  return privateList.check(plain, family) ? "private" : "public";
}

function listOf(ranges: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ranges) list.addSubnet(network, prefix, isIPv4(network) ? "ipv4" : "ipv6");
  return list;
}

/** `::ffff:10.0.0.1`, `::ffff:a00:1` and the long obsolete `::10.0.0.1` are 10.0.0.1. */
function unmapped(address: string): string {
  if (!isIPv6(address)) return address;
  const compact = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const hex = /^::(?:ffff:)?([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(compact);
  if (hex === null) return address;
  const [high, low] = [Number.parseInt(hex[1] ?? "", 16), Number.parseInt(hex[2] ?? "", 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
