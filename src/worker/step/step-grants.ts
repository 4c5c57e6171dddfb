import type { CodeName } from "../../base/index.ts";
import type { EgressDecision } from "../../egress/index.ts";
import { endpointGranted, pluginGranted, secretGranted } from "../../policy/index.ts";
import type { Allowlist } from "../../spec/index.ts";
import type { PinnedStep } from "../run/pinned-run.ts";

/**
 * Whether the allowlist as applied now lets a step start; null = it does. A grant that the run was admitted with and
 * that is gone since is ALLOWLIST_REVOKED.
 */
export function refusalOf(step: PinnedStep, current: Allowlist, pinned: Allowlist): CodeName | null {
  const missing = missingGrant(step, current);
  if (missing === null) return null;
  return missingGrant(step, pinned) === null ? "ALLOWLIST_REVOKED" : missing;
}

function missingGrant({ spec, plugin }: PinnedStep, allowlist: Allowlist): CodeName | null {
  if (!pluginGranted(allowlist, plugin)) return "PLUGIN_NOT_ALLOWED";
  const granted = spec.network.map(targetOf).every(({ host, port }) => {
    return endpointGranted(allowlist, plugin.name, host, port) !== null;
  });
  if (!granted) return "ENDPOINT_NOT_ALLOWED";
  const isLent = Object.values(spec.secrets).every((secret) => secretGranted(allowlist, plugin.name, secret));
  return isLent ? null : "SECRET_NOT_ALLOWED";
}

/** The broker's question at each connect: declared by the step, and granted now. */
export function decideEgress(
  { spec, plugin }: PinnedStep,
  current: Allowlist | null,
  target: { readonly host: string; readonly port: number },
): EgressDecision {
  const wanted = targetKey(target);
  if (current === null || !spec.network.some((text) => targetKey(targetOf(text)) === wanted)) return "deny";
  const grant = endpointGranted(current, plugin.name, target.host, target.port);
  if (grant === null) return "deny";
  return grant.private ? "allow_private" : "allow";
}

interface Target {
  readonly host: string;
  readonly port: number;
}

/** `host:port`; the port follows the last colon, for an IPv6 address has more. */
function targetOf(text: string): Target {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

const targetKey = ({ host, port }: Target): string => `${host.replace(/^\[(.*)\]$/, "$1").toLowerCase()} ${port}`;
