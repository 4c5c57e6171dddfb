import {
  bytesOfText,
  canonicalText,
  type Hex,
  hexOf,
  type JsonObject,
  type Sha256,
  type UtcText,
} from "../base/index.ts";
import { canonicalHash } from "./hashes.ts";
import type { RunContext, TriggerKind } from "./trigger.ts";

export interface RunTokenParts {
  readonly site: string;
  readonly tenant: string;
  readonly dagId: string;
  /** Of the trigger, only its admission key. */
  readonly trigger: { readonly kind: TriggerKind; readonly key: string };
}

/** The admission key of a run as one token: the same on every machine of the site's name. */
export const runTokenOf = ({ site, tenant, dagId, trigger }: RunTokenParts, sha256: Sha256): Hex =>
  canonicalHash({ site, tenant, dagId, trigger: { kind: trigger.kind, key: trigger.key } }, sha256);

/** The key of a slot: `<schedule>@<slotUtc>`. */
export const slotKeyOf = (schedule: string, slot: UtcText): string => `${schedule}@${slot}`;

/**
 * UUIDv7 (RFC 9562): 48 bits of the admission instant in ms, then the first 74 bits of the run token in place of chance
 * (12 after the version, 62 after the variant). Throws RangeError for an instant outside 1970 to 10889.
 */
export function runIdOf(runToken: Hex, admittedAt: Date): string {
  const ms = admittedAt.getTime();
  if (!Number.isInteger(ms) || ms < 0 || ms >= 2 ** 48) throw new RangeError("not an instant of a UUIDv7");
  if (!/^[0-9a-f]{64}$/.test(runToken)) throw new RangeError("not a run token");
  const bits = BigInt(`0x${runToken.slice(0, 19)}`) >> 2n;
  const high = (0x7n << 12n) | (bits >> 62n);
  const low = (0b10n << 62n) | (bits & (2n ** 62n - 1n));
  const hex =
    ms.toString(16).padStart(12, "0") + high.toString(16).padStart(4, "0") + low.toString(16).padStart(16, "0");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

export interface ContextParts {
  /** The slot, or the admission instant; of a rerun or replay that of the run it repeats. */
  readonly now: UtcText;
  readonly specHash: Hex;
  readonly inputsHash: Hex;
}

/** The run context: the only clock and chance of its steps. seed = sha256(JCS({specHash, inputsHash, now})). */
export const contextOf = ({ now, specHash, inputsHash }: ContextParts, sha256: Sha256): RunContext => ({
  now,
  seed: canonicalHash({ specHash, inputsHash, now }, sha256),
});

export interface ReplayTokenParts {
  readonly site: string;
  readonly tenant: string;
  readonly dagId: string;
  readonly runId: string;
  /** The run's policyRevision. */
  readonly commit: string;
  readonly specHash: Hex;
  /** `name@version`: SHA-256 of plugin.js. */
  readonly plugins: Readonly<Record<string, Hex>>;
  readonly inputsHash: Hex;
  readonly now: UtcText;
  readonly outputsHash: Hex;
  readonly runtime: JsonObject;
}

/** `orr1.` + base64url(JCS(parts)): a claim of what a replay must give, not a capability. */
export function replayTokenOf(parts: ReplayTokenParts): string {
  const { site, tenant, dagId, runId, commit, specHash, plugins, inputsHash, now, outputsHash, runtime } = parts;
  const claim = { site, tenant, dagId, runId, commit, specHash, plugins, inputsHash, now, outputsHash, runtime };
  return `orr1.${Buffer.from(canonicalText(claim)).toString("base64url")}`;
}

/** A W3C trace id of 16 random bytes. All zero is not one: RangeError. */
export function traceIdOf(random: Uint8Array): string {
  if (random.length !== 16 || random.every((byte) => byte === 0)) throw new RangeError("not 16 random bytes");
  return hexOf(random);
}

export interface SpanParts {
  readonly traceId: string;
  readonly runId: string;
  /** Empty for the span of the run itself. */
  readonly stepId: string;
  readonly index: number;
  readonly attempt: number;
}

/** The span of one attempt, from its place alone: a rescuer finds the same. 16 hex digits. */
export function spanIdOf({ traceId, runId, stepId, index, attempt }: SpanParts, sha256: Sha256): string {
  const digest = sha256(bytesOfText(canonicalText({ traceId, runId, stepId, index, attempt })));
  const span = hexOf(digest.subarray(0, 8));
  return /^0+$/.test(span) ? `${"0".repeat(15)}1` : span;
}

/** `traceparent` of W3C Trace Context level 1, sampled. */
export const traceparentOf = (traceId: string, spanId: string): string => `00-${traceId}-${spanId}-01`;
