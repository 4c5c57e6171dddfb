import {
  bytesOfText,
  canonicalText,
  drained,
  type Hex,
  hexDigestWith,
  type Sha256,
  type Steps,
  type UtcText,
} from "../base/index.ts";
import type { Actor, Trigger } from "../run/index.ts";
import {
  actorMember,
  compareText,
  maxBodyBytes,
  present,
  type RecordBody,
  rationaleMember,
  recordBody,
  triggerMember,
} from "./canonical-body.ts";
import {
  type RecordDecision,
  type RecordRationale,
  type RecordRuntime,
  recordSchemaName,
  siteTenant,
} from "./record-head.ts";
import type { RecordApproval } from "./run-record.ts";
import type {
  Activation,
  ControlRecord,
  DenialRecord,
  GenesisRecord,
  HeldDocument,
  OmittedList,
  ReconcileChange,
  ReconcileList,
  ReconcileRecord,
  SkipRecord,
  Verification,
} from "./site-record.ts";

export interface GenesisBodyInput {
  readonly site: string;
  readonly specRef: string;
  readonly signersSha256: Hex;
  readonly trustedBy: "pinned" | "first_use";
  readonly runtime: RecordRuntime;
}

/** The chain's first record, of tenant `_site`. */
export function genesisBody(input: GenesisBodyInput): RecordBody<"genesis"> {
  return recordBody<GenesisRecord>({
    recordId: `genesis/${input.site}`,
    schema: recordSchemaName,
    site: input.site,
    tenant: siteTenant,
    kind: "genesis",
    actor: { kind: "site", subject: input.site },
    siteId: input.site,
    specRef: input.specRef,
    signersSha256: input.signersSha256,
    trustedBy: input.trustedBy,
    runtime: input.runtime,
  });
}

interface PersonalInput {
  readonly site: string;
  readonly tenant: string;
  readonly actor: Actor;
  readonly rationale: readonly RecordRationale[];
  readonly traceId: string | null;
  readonly runtime: RecordRuntime;
}

export interface ReconcileBodyInput extends PersonalInput {
  /** Position among the records of this revision, so that record ids differ; equal for equal plans. */
  readonly n: number;
  readonly from: string | null;
  readonly to: string;
  readonly changes: readonly ReconcileChange[];
  readonly held: readonly HeldDocument[];
  readonly verification: Verification | null;
  readonly activations: readonly Activation[];
  /** By sha256. */
  readonly approvals?: readonly RecordApproval[];
}

/**
 * What one verified revision changed for a tenant (or `_site`); lists keep the plan's order. Where the line would be too
 * long, whole lists give way to their count and hash: a revision that changes very much must not stop the chain.
 */
export const reconcileBody = (input: ReconcileBodyInput, sha256: Sha256): RecordBody<"reconcile"> =>
  drained(reconcileSteps(input, sha256));

/** The same, pausing at each entry of the lists: a first revision may apply ten thousand DAGs. */
export function* reconcileSteps(input: ReconcileBodyInput, sha256: Sha256): Steps<RecordBody<"reconcile">> {
  const digest = hexDigestWith(sha256);
  const { changes, held, activations, approvals = [] } = input;
  const lists: Record<ReconcileList, readonly unknown[]> = { changes, held, activations, approvals };
  const texts = {
    changes: yield* listText(changes),
    held: yield* listText(held),
    activations: yield* listText(activations),
    approvals: yield* listText(approvals),
  };
  const omitted: Partial<Record<ReconcileList, OmittedList>> = {};
  for (const name of reconcileLists) {
    const whole = reconcileRecord(input, texts, omitted);
    if (bytesOfText(whole.bodyText).length <= maxBodyBytes) return whole;
    omitted[name] = { count: lists[name].length, sha256: digest(texts[name]) };
  }
  return reconcileRecord(input, texts, omitted);
}

/** In the order in which they give way. */
const reconcileLists: readonly ReconcileList[] = ["changes", "held", "activations", "approvals"];

function* listText(list: readonly unknown[]): Steps<string> {
  const items: string[] = [];
  for (const item of list) {
    items.push(canonicalText(item));
    yield;
  }
  return `[${items.join(",")}]`;
}

/** With the text of each list as it was made once: its members are sorted as RFC 8785 sorts them. */
function reconcileRecord(
  input: ReconcileBodyInput,
  texts: Readonly<Record<ReconcileList, string>>,
  omitted: Readonly<Partial<Record<ReconcileList, OmittedList>>>,
): RecordBody<"reconcile"> {
  const rest: Omit<ReconcileRecord, ReconcileList> = present({
    recordId: `reconcile/${input.to}/${String(input.n)}`,
    ...headMembers(input),
    kind: "reconcile" as const,
    from: input.from ?? undefined,
    to: input.to,
    verification: input.verification ?? undefined,
    omitted: Object.keys(omitted).length === 0 ? undefined : omitted,
  });
  const members = new Map(Object.entries(rest).map(([name, value]) => [name, canonicalText(value)]));
  for (const name of reconcileLists)
    if (omitted[name] === undefined && texts[name] !== "[]") members.set(name, texts[name]);
  const sorted = [...members].sort(([a], [b]) => compareText(a, b));
  const bodyText = `{${sorted.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
  return { ...recordBody(rest), bodyText };
}

export interface ControlBodyInput extends PersonalInput {
  readonly uuid: string;
  readonly verb: string;
  readonly target: string;
  readonly ticket: string | null;
  readonly expiresUtc: UtcText | null;
}

export function controlBody(input: ControlBodyInput): RecordBody<"control"> {
  return recordBody<ControlRecord>(
    present({
      recordId: `control/${input.uuid}`,
      ...headMembers(input),
      kind: "control" as const,
      verb: input.verb,
      target: input.target,
      ticket: input.ticket ?? undefined,
      expiresUtc: input.expiresUtc ?? undefined,
    }),
  );
}

export interface SkipBodyInput {
  readonly site: string;
  readonly tenant: string;
  readonly dagId: string;
  readonly schedule: string;
  readonly reason: SkipRecord["reason"];
  readonly from: UtcText;
  readonly to: UtcText;
  readonly count: number;
  readonly runtime: RecordRuntime;
}

/** A closed range of slots that became no run; made by the recorder while it seals. */
export function skipBody(input: SkipBodyInput): RecordBody<"skip"> {
  return recordBody<SkipRecord>({
    recordId: `skip/${input.dagId}/${input.schedule}/${input.from}`,
    schema: recordSchemaName,
    site: input.site,
    tenant: input.tenant,
    kind: "skip",
    actor: { kind: "schedule", subject: `${input.dagId}/${input.schedule}` },
    dagId: input.dagId,
    schedule: input.schedule,
    reason: input.reason,
    from: input.from,
    to: input.to,
    count: input.count,
    runtime: input.runtime,
  });
}

export interface DenialBodyInput extends PersonalInput {
  readonly dagId: string;
  readonly trigger: Trigger;
  readonly code: string;
  readonly decision: RecordDecision | null;
  /** When the start was refused. */
  readonly now: UtcText;
  /** 1 = the first of its minute, 2 = the rest of it as one count. */
  readonly which: 1 | 2;
}

/** A refused start. `count` is 1 until sealing: of the rest of a minute the recorder knows the count. */
export function denialBody(input: DenialBodyInput): RecordBody<"denial"> {
  const minute = `${input.now.slice(0, 16)}:00.000Z`;
  const subject = recordIdPart(input.actor.subject);
  return recordBody<DenialRecord>(
    present({
      recordId: `denial/${minute}/${input.dagId}/${input.code}/${subject}/${String(input.which)}`,
      ...headMembers(input),
      kind: "denial" as const,
      dagId: input.dagId,
      trigger: triggerMember(input.trigger),
      code: input.code,
      decision: input.decision ?? undefined,
      minute,
      count: 1,
    }),
  );
}

function headMembers(input: PersonalInput) {
  return {
    schema: recordSchemaName,
    site: input.site,
    tenant: input.tenant,
    actor: actorMember(input.actor),
    rationale: rationaleMember(input.rationale),
    traceId: input.traceId ?? undefined,
    runtime: input.runtime,
  } as const;
}

/** Record ids are ASCII, so that UTF-16, byte and jq order agree; a subject of a token may be anything. */
function recordIdPart(subject: string): string {
  return encodeURIComponent(subject.toWellFormed()).replaceAll("%40", "@").replaceAll("%3A", ":");
}
