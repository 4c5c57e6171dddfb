import { isIPv4, isIPv6 } from "node:net";

export interface Authority {
  /** Lower case; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
}

const maxChars = 260;

/**
 * `host:port` of a CONNECT, or null. Strict on purpose: what two parsers read differently (userinfo, decimal or octal
 * addresses, a missing port, zone ids) is refused. No nested quantifiers: the text is a step's.
 */
export function parseAuthority(text: string): Authority | null {
  if (text.length > maxChars) return null;
  const cut = text.lastIndexOf(":");
  if (cut < 1) return null;
  const port = parsePort(text.slice(cut + 1));
  const host = parseHost(text.slice(0, cut));
  return port === null || host === null ? null : { host, port };
}

/** The form in which grants, declarations and events name a target. */
export const authorityText = ({ host, port }: Authority): string => `${host}:${port}`;

function parsePort(text: string): number | null {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) return null;
  const port = Number(text);
  return port <= 65_535 ? port : null;
}

function parseHost(text: string): string | null {
  if (text.startsWith("[")) {
    const address = text.endsWith("]") ? text.slice(1, -1).toLowerCase() : "";
    return isIPv6(address) && !address.includes("%") ? address : null;
  }
  const host = text.toLowerCase();
  if (isIPv4(host)) return host;
  const labels = host.split(".");
  if (host.length > 253 || !labels.every(isLabel)) return null;
  // A numeric last label is an address in some spelling that resolvers take and we would not check.
  return /^(?:[0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? "") ? null : host;
}

function isLabel(label: string): boolean {
  return label.length <= 63 && /^[a-z0-9_-]+$/.test(label) && !label.startsWith("-") && !label.endsWith("-");
}
