import { createHash } from "node:crypto";
import type { Fill } from "./chance-stream.ts";
import type { HostCall } from "./realm/host-call.ts";
import { isBytes } from "./realm-bytes.ts";

type Answer = string | number | undefined;
type Post = (text: string, bytes: Uint8Array | null) => void;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const urlMembers = [
  "protocol",
  "username",
  "password",
  "host",
  "hostname",
  "port",
  "pathname",
  "search",
  "hash",
] as const;

/** The one function that a realm reaches. Strings, numbers and byte arrays in, strings and numbers out. */
export function realmCalls(post: Post, fill: Fill): HostCall {
  const onBytes: Readonly<Record<string, (bytes: Uint8Array) => Answer>> = {
    random: (bytes) => {
      fill(bytes);
      return undefined;
    },
    utf8Read: (bytes) => decoder.decode(bytes),
    utf8ReadFatal: (bytes) => attempt(() => strictDecoder.decode(bytes)),
    "digest SHA-1": (bytes) => digest("sha1", bytes),
    "digest SHA-256": (bytes) => digest("sha256", bytes),
    "digest SHA-384": (bytes) => digest("sha384", bytes),
    "digest SHA-512": (bytes) => digest("sha512", bytes),
  };
  const onText: Readonly<Record<string, (text: string, bytes: Uint8Array | null) => Answer>> = {
    post: (text, bytes) => {
      post(text, bytes === null ? null : new Uint8Array(bytes));
      return undefined;
    },
    utf8Length: (text) => Buffer.byteLength(text),
    utf8Write: (text, bytes) => (bytes === null ? undefined : encoder.encodeInto(text, bytes).written),
    urlParse: (text) => attempt(() => urlParse(text)),
    urlAssign: (text) => attempt(() => urlAssign(text)),
  };
  return (op, a, b) => {
    if (op === "wallMs") return Date.now();
    if (op === "monotonicMs") return performance.now();
    if (typeof a === "string" && Object.hasOwn(onText, op)) return onText[op]?.(a, bytesOrNull(b));
    const bytes = bytesOrNull(a);
    return bytes !== null && Object.hasOwn(onBytes, op) ? onBytes[op]?.(bytes) : undefined;
  };
}

const bytesOrNull = (value: unknown): Uint8Array | null => (isBytes(value) ? value : null);

const digest = (name: string, bytes: Uint8Array): string => createHash(name).update(bytes).digest("hex");

function attempt(make: () => string): string | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

function urlParse(text: string): string {
  const [input, base] = JSON.parse(text) as [string, string | null];
  return partsOf(base === null ? new URL(input) : new URL(input, base));
}

function urlAssign(text: string): string {
  const [href, member, value] = JSON.parse(text) as [string, (typeof urlMembers)[number], string];
  const url = new URL(href);
  if (urlMembers.includes(member)) url[member] = value;
  return partsOf(url);
}

function partsOf(url: URL): string {
  const { href, origin } = url;
  return JSON.stringify({ href, origin, ...Object.fromEntries(urlMembers.map((member) => [member, url[member]])) });
}
