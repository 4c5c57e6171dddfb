/** What a reason of a condition of a DAG or a tenant means, and what to do. */
export interface ReasonText {
  readonly of: "dag" | "tenant" | "both";
  readonly means: string;
  readonly fix: string;
}

/** Every reason that `tenantConditions` gives, CamelCase; a list of its own beside the codes (DESIGN.md section 2). */
export const conditionReasons = {
  Applied: { of: "both", means: "What the revision wants is applied; a DAG may start.", fix: "Nothing." },
  Frozen: {
    of: "tenant",
    means: "A freeze window of tenant.yaml holds: changes wait, runs go on.",
    fix: "Wait for its end, or take the window out by a commit.",
  },
  Held: {
    of: "both",
    means:
      "The document does not decode or is wrong in itself: a DAG stays at its last good version, or is not applied where there is none. Of a tenant: some of its DAGs are held.",
    fix: "Correct what the message names, in a new commit.",
  },
  NotAllowed: {
    of: "dag",
    means:
      "Applied and not armed: allowlist, quota or site do not grant what it asks for. Slots are skipped, starts refused, both on record.",
    fix: "Ask for the grant that the message names, or ask for less.",
  },
  PruneBrake: {
    of: "tenant",
    means:
      "The revision prunes more DAGs than brakes.prunePercent lets go without a person: nothing of the tenant is applied.",
    fix: "Remove fewer at once, revert, or raise brakes.prunePercent by a commit.",
  },
  Pruned: {
    of: "dag",
    means: "It is no longer in the repository. Its numbers stay, for the case that the name returns.",
    fix: "Nothing, or bring the file back.",
  },
  Suspended: {
    of: "both",
    means: "tenant.yaml says suspend: true, or a person broke glass: nothing starts, running runs end as they began.",
    fix: "Take suspend out by a commit, or `orrery resume`; the message says which of the two.",
  },
  TenantHeld: {
    of: "tenant",
    means: "tenant.yaml, quota.yaml or allowlist.yaml does not decode: nothing of the tenant is applied.",
    fix: "Correct what the message names, in a new commit.",
  },
} as const satisfies Readonly<Record<string, ReasonText>>;

/** CamelCase, a list of its own. */
export type ConditionReason = keyof typeof conditionReasons;

/** Null for what is no reason of a condition. */
export const findReason = (name: string): ReasonText | null =>
  Object.hasOwn(conditionReasons, name) ? conditionReasons[name as ConditionReason] : null;
