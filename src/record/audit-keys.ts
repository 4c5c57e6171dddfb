import { canonicalText, type JsonObject } from "../base/index.ts";
import { checkpointNamespace } from "./checkpoint.ts";
import { recordLine } from "./record-line.ts";

/** A key of the recorder and the first batch that it signs (batch n = the n-th commit of the branch, from 1). */
export interface AuditKey {
  readonly from: number;
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly key: string;
}

export const auditSignersPath = "keys/audit_signers";
export const keyLogPath = "keys/log.ndjson";

/** Name of author and committer of every audit commit; the mail is `auditPrincipal`. */
export const auditIdentName = "orrery recorder";

export const auditPrincipal = (site: string): string => `audit@${site}`;

/** Text of keys/audit_signers: every key that ever signed, in order of its first batch. */
export function auditSignersText(site: string, keys: readonly AuditKey[]): string {
  const line = ({ key }: AuditKey): string =>
    `${auditPrincipal(site)} namespaces="git,${checkpointNamespace}" ${key}\n`;
  return keys.map(line).join("");
}

/** Text of keys/log.ndjson: one {from, key} a line, JCS + LF. */
export function keyLogText(keys: readonly AuditKey[]): string {
  return keys.map(({ from, key }) => `${canonicalText({ from, key })}\n`).join("");
}

/** The keys in rising order of their first batch, the first from batch 1; null for any other text. */
export function parseKeyLog(text: string): readonly AuditKey[] | null {
  if (!text.endsWith("\n")) return null;
  const keys: AuditKey[] = [];
  for (const line of text.slice(0, -1).split("\n")) {
    const key = auditKey(recordLine(line));
    if (key === null || key.from <= (keys.at(-1)?.from ?? 0)) return null;
    keys.push(key);
  }
  return keys[0]?.from === 1 ? keys : null;
}

function auditKey(value: JsonObject | null): AuditKey | null {
  if (value === null || Object.keys(value).length !== 2) return null;
  const { from, key } = value;
  return typeof from === "number" && Number.isSafeInteger(from) && typeof key === "string" ? { from, key } : null;
}
