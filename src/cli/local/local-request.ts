import { randomBytes } from "node:crypto";
import { canonicalText, type JsonObject, type UtcText, utcText } from "../../base/index.ts";
import { sha256, sha256Hex } from "../../base/node-digest.ts";
import { contextOf, inputsHashOf, runIdOf, runTokenOf, type Trigger, traceIdOf } from "../../run/index.ts";
import type { TenantSnapshot } from "../../spec/index.ts";
import type { ClaimedRun, Rationale } from "../../store/index.ts";

/** The site that local runs name: no installed one is asked. */
export const localSite = "local";

/** A revision that no commit has: files are not committed. */
export const localRevision = "0".repeat(40);

/** One run with everything read that it needs. */
export interface LocalRequest {
  readonly tenant: string;
  readonly dagId: string;
  readonly specHash: string;
  readonly specText: string;
  readonly snapshot: TenantSnapshot;
  /** plugin.js, files and age files by SHA-256. */
  readonly content: (sha256: string) => Uint8Array | null;
  /** With defaults filled in. */
  readonly inputs: JsonObject;
  readonly trigger: Trigger;
  /** The instant of the run's context: its slot, or what a person named; null = now. */
  readonly now: UtcText | null;
  readonly rationale: readonly Rationale[];
}

/** The run as a worker would claim it: the same hashes by the same functions as those of an admission. */
export function claimedRun(request: LocalRequest, admittedAt: Date): ClaimedRun {
  const { tenant, dagId, specHash, inputs, trigger } = request;
  const inputsHash = inputsHashOf(inputs, sha256);
  const runToken = runTokenOf({ site: localSite, tenant, dagId, trigger }, sha256);
  const queuedUtc = utcText(admittedAt);
  return {
    ...{ tenant, dagId, specHash, specText: request.specText, trigger, inputsHash, runToken },
    runId: runIdOf(runToken, admittedAt),
    runNo: 1,
    fence: 1,
    rescues: 0,
    commit: localRevision,
    policyRevision: localRevision,
    snapshot: sha256Hex(canonicalText(request.snapshot)),
    inputsText: canonicalText(inputs),
    rationale: request.rationale,
    actor: { kind: "user", subject: localSite, key: null },
    traceId: traceIdOf(randomBytes(16)),
    context: contextOf({ now: request.now ?? queuedUtc, specHash, inputsHash }, sha256),
    queuedUtc,
    startedUtc: queuedUtc,
    attempts: [],
    marks: [],
  };
}
