import { canonicalText } from "../base/index.ts";
import { checkpointNamespace } from "../record/index.ts";
import { publicKeyLine } from "../trust/index.ts";

export const auditPrincipal = (site: string): string => `audit@${site}`;

/** Text of `keys/audit_signers`: the allowed_signers file that stock git and ssh-keygen take. */
export function auditSignersText(site: string, blob: Uint8Array): string {
  return `${auditPrincipal(site)} namespaces="git,${checkpointNamespace}" ${publicKeyLine(blob)}\n`;
}

/** Text of `keys/log.ndjson`: one line a key, `from` = the first batch that it signs, as in sites/<site>.yaml. */
export function auditKeyLogText(blob: Uint8Array, from: number): string {
  return `${canonicalText({ from, key: publicKeyLine(blob) })}\n`;
}
