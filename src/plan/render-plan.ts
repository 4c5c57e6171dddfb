import { durationText } from "../spec/index.ts";
import type { ReadableDag } from "./desired/desired.ts";
import { findingText, printable } from "./finding-text.ts";
import type { DagChange, DocumentChange, Plan, TenantPlan } from "./plan.ts";
import { isNoop, isTenantNoop } from "./plan-changes.ts";

/** The plan as a person reads it: a line per change, findings below, a sum at the end. Plain text, no colour. */
export function renderPlan(plan: Plan): string {
  const lines = plan.tenants.flatMap((tenant) => (isTenantNoop(tenant) && !hasNews(tenant) ? [] : tenantLines(tenant)));
  const findings = plan.findings.map(
    (finding) => `  ${finding.severity} ${findingText(finding)}\n    fix: ${printable(finding.fix)}`,
  );
  const head = isNoop(plan)
    ? `No changes. What is applied is what revision ${plan.revision} wants.`
    : `Revision ${plan.revision}:`;
  return [
    head,
    ...lines,
    ...(findings.length === 0 ? [] : ["", "Findings:", ...findings]),
    "",
    sumLine(plan),
    ...(plan.complete ? [] : ["Not complete: what is held does not say what it wants."]),
    "",
  ].join("\n");
}

const hasNews = (tenant: TenantPlan): boolean => tenant.dags.length > 0 || tenant.blocked !== null;

function tenantLines(plan: TenantPlan): readonly string[] {
  const changes = [...plan.documents.map(documentLine), ...plan.dags.map(dagLine)];
  const lines = changes.length === 0 ? ["  (nothing but the revision moves)"] : changes;
  return ["", `tenant ${plan.tenant}`, ...blockLines(plan), ...lines];
}

function blockLines({ blocked }: TenantPlan): readonly string[] {
  if (blocked === null) return [];
  if (blocked.kind === "held") return ["  ! held as a whole: nothing of this tenant is applied"];
  if (blocked.kind === "freeze")
    return [
      `  ! frozen until ${blocked.until}: ${printable(blocked.rationale)}; nothing of this tenant is applied before`,
    ];
  const { prunes, of, allowed } = blocked;
  return [
    `  ! waits: ${prunes} of ${of} DAGs would be pruned, ${allowed} may be (brakes.prunePercent); nothing of this tenant is applied`,
  ];
}

const signs = { create: "+", update: "~", prune: "-", hold: "!" } as const;

function documentLine(change: DocumentChange): string {
  const what = change.document === "Plugin" ? `Plugin ${change.name}` : change.document;
  return `  ${signs[change.kind]} ${printable(what)}${change.kind === "hold" ? " (held)" : ""}`;
}

function dagLine(change: DagChange): string {
  return `  ${signs[change.kind]} Dag ${change.dagId}: ${dagText(change)}`;
}

function dagText(change: DagChange): string {
  switch (change.kind) {
    case "create":
      return `${createText(change)} at ${short(change.to.specHash)}, ${stateOf(change.to)}${schedulesText(change.to)}`;
    case "update":
      return change.aspects.map((aspect) => aspectText(aspect, change)).join(", ");
    case "prune":
      return `gone from the repository, was ${short(change.from.specHash)}`;
    case "hold":
      return change.from === null
        ? "not applied, see findings"
        : `held at ${short(change.from.specHash)}, see findings`;
  }
}

type DagUpdate = Extract<DagChange, { kind: "update" }>;

function aspectText(aspect: DagUpdate["aspects"][number], { from, to }: DagUpdate): string {
  switch (aspect) {
    case "spec":
      return `spec ${short(from.specHash)} -> ${short(to.specHash)}${schedulesText(to)}`;
    case "armed":
      return to.armed ? "now armed" : "no longer armed";
    case "suspended":
      return to.suspended ? "now suspended" : "no longer suspended";
    case "watermark":
      return "watermark pulled back from the future";
  }
}

function createText({ from, renamed }: Extract<DagChange, { kind: "create" }>): string {
  if (renamed !== null) return `renamed from ${renamed.dagId}`;
  return from === null ? "new" : "returns";
}

const stateOf = ({ armed, suspended }: ReadableDag): string =>
  suspended ? "suspended" : armed ? "armed" : "not armed";

function schedulesText({ spec }: ReadableDag): string {
  if (spec.schedules.length === 0) return "";
  const texts = spec.schedules.map(({ name, timing, timezone }) =>
    timing.kind === "every" ? `${name} every ${durationText(timing.everyMs)}` : `${name} "${timing.cron}" ${timezone}`,
  );
  return ` (${printable(texts.join("; "))})`;
}

const short = (hash: string): string => hash.slice(0, 12);

function sumLine(plan: Plan): string {
  const all = plan.tenants.flatMap((tenant) => [...tenant.dags, ...tenant.documents]);
  const count = (kind: DagChange["kind"]): number => all.filter((change) => change.kind === kind).length;
  return `Plan: ${count("create")} to create, ${count("update")} to update, ${count("prune")} to prune, ${count("hold")} held.`;
}
