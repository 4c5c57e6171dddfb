import { canonicalText } from "../../../src/base/index.ts";
import { sha256, sha256Hex } from "../../../src/base/node-digest.ts";
import {
  assembleTenant,
  type DesiredTenant,
  neverApplied,
  type ObservedDag,
  type ObservedTenant,
  type PlanOptions,
  planTenant,
  type TenantChange,
  type TenantPlan,
  tenantAfter,
  toTenantChange,
} from "../../../src/plan/index.ts";
import { decodeDocument, type PinnedFile } from "../../../src/spec/index.ts";

export const now = "2026-05-01T12:00:00.000Z";
export const revision = "1".repeat(40);

const pluginJs = "var plugin={default:{run:()=>({})}}";

const pluginYaml = (service: string, js: string): string => `apiVersion: orrery/v1
kind: Plugin
spec:
  service: ${service}
  emits: raw
  sha256: ${sha256Hex(js)}
  effects: none
  input: { type: object }
  output: { type: object }
`;

const allowAll = `apiVersion: orrery/v1
kind: Allowlist
spec:
  plugins: [{ name: "core.*", versions: ["1.x"] }]
`;

export const hello = (message = "hello", extra = ""): string => `apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Prove it.
${extra}  steps:
    hello:
      uses: core.log@1.0.0
      with: { message: "${message}" }
`;

export const every = (text: string): string => `  schedules:
    - { every: ${text} }
`;

export interface World {
  /** Path: YAML text. */
  readonly documents: Readonly<Record<string, string>>;
  readonly files?: readonly PinnedFile[];
  /** plugin.js of core.log@1.0.0. */
  readonly js?: string;
  readonly fingerprint?: string;
  readonly at?: string;
}

/** A tenant `acme` from YAML texts, with core.log@1.0.0 in the repository. */
export function desiredOf({
  documents,
  files = [],
  js = pluginJs,
  fingerprint,
  at = "2026-11-24T10:00:00.000Z",
}: World): DesiredTenant {
  const all = { "plugins/core.log/1.0.0/plugin.yaml": pluginYaml("core", js), ...documents };
  return assembleTenant(
    {
      tenant: "acme",
      fingerprint: fingerprint ?? sha256Hex(JSON.stringify([all, files, js])),
      at: new Date(at),
      documents: new Map(
        Object.entries(all).map(([path, text]) => [path, decodeDocument({ path, bytes: Buffer.from(text) })]),
      ),
      pluginBytes: new Map([["plugins/core.log/1.0.0/plugin.js", sha256Hex(js)]]),
      files,
      secrets: { pinned: [], site: null },
    },
    sha256,
  );
}

export const dagPath = (dagId: string): string => `tenants/acme/dags/${dagId}.yaml`;

export const acme = (dags: Readonly<Record<string, string>>, more: Readonly<Record<string, string>> = {}): World => ({
  documents: {
    "tenants/acme/allowlist.yaml": allowAll,
    ...Object.fromEntries(Object.entries(dags).map(([dagId, text]) => [dagPath(dagId), text])),
    ...more,
  },
});

export const planOf = (
  desired: DesiredTenant,
  observed: ObservedTenant = neverApplied("acme"),
  options: Partial<PlanOptions> = {},
): TenantPlan => planTenant(desired, observed, { revision, prunePercent: 20, now: null, ...options });

export const changeOf = (plan: TenantPlan, at = now): TenantChange =>
  toTenantChange(plan, { now: at, blobs: [], pins: pinsOf(plan), record: null });

/** As the reconciler computes them. */
const pinsOf = ({ observed, snapshot }: TenantPlan): TenantChange["pins"] =>
  Object.entries({ ...snapshot.plugins, ...observed.snapshot?.plugins })
    .filter(([plugin]) => !(plugin in observed.pins))
    .map(([plugin, manifest]) => ({ plugin, sha256: sha256Hex(canonicalText(manifest)) }));

/** The store's guards, then what it holds after a change. */
export function applied(observed: ObservedTenant, change: TenantChange): ObservedTenant {
  if (change.from !== observed.appliedRevision) throw new Error("STORE_CONFLICT");
  if (change.generation !== observed.generation) throw new Error("STORE_CONFLICT generation");
  const dags = new Map(observed.dags.map((dag) => [dag.dagId, dag]));
  for (const write of change.dags) {
    const stands = dags.get(write.dagId);
    const live = stands === undefined || stands.pruned ? null : stands.specHash;
    if (live !== write.from) throw new Error(`STORE_CONFLICT ${write.dagId}`);
    if (write.kind === "create" || write.kind === "update") guardWatermarks(stands, write.schedules);
  }
  return tenantAfter(observed, change);
}

type ScheduleWrites = Exclude<TenantChange["dags"][number], { kind: "prune" | "suspend" }>["schedules"];

function guardWatermarks(stands: ObservedDag | undefined, written: ScheduleWrites): void {
  for (const { schedule, from } of written) {
    const kept = stands?.schedules.find((s) => s.schedule === schedule);
    if ((kept?.watermark ?? null) !== from) throw new Error("STORE_CONFLICT watermark");
  }
}

/** The tenant after all these worlds were applied in turn. */
export const after = (...worlds: readonly World[]): ObservedTenant =>
  worlds.reduce(
    (observed, world) => applied(observed, changeOf(planOf(desiredOf(world), observed))),
    neverApplied("acme"),
  );

/** Changes as words: `create hello`, `update hello spec armed`. */
export const words = (plan: TenantPlan): string[] =>
  plan.dags.map((c) => `${c.kind} ${c.dagId}${c.kind === "update" ? ` ${c.aspects.join(" ")}` : ""}`);

export const said = (plan: TenantPlan, name: string, type: "Ready" | "Stalled" = "Ready"): string => {
  const found = plan.conditions.find((c) => c.name === name && c.type === type);
  return found === undefined ? "nothing" : `${found.status} ${found.reason}: ${found.message}`;
};
