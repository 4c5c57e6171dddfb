import { findingText, printable } from "../finding-text.ts";
import { demandWords, laxWords, trustWords } from "./authority-lines.ts";
import { fieldText } from "./field-text.ts";
import type { DagReport, PlanReport, TenantReport } from "./plan-report.ts";
import { capacityText, firingText, notAsked, runsAsked, shareText } from "./render-report.ts";

const signs = { create: "added", update: "changed", prune: "pruned", hold: "**held**" } as const;

/** The plan for a pull request: one table a tenant, details folded, everything that came from a document as code. */
export function renderMarkdown(report: PlanReport): string {
  const tenants = report.tenants.filter(hasNews);
  const findings = report.findings.map(
    (finding) => `- ${finding.severity}: ${code(findingText(finding))}  fix: ${code(finding.fix)}`,
  );
  return [
    `### Plan for \`${report.to.slice(0, 12)}\``,
    "",
    report.from === null ? "Compared with an empty site." : `Compared with \`${report.from.slice(0, 12)}\`.`,
    ...(tenants.length === 0 ? ["", "No changes."] : tenants.flatMap(tenantSection)),
    ...capacityLines(report),
    ...authoritySection(report),
    ...(findings.length === 0 ? [] : ["", "**Findings**", "", ...findings]),
    ...(runsAsked(report) ? [] : ["", `${sentence(notAsked)}.`]),
    ...(report.complete ? [] : ["", "Not complete: what is held does not say what it wants."]),
    "",
  ].join("\n");
}

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

function capacityLines(report: PlanReport): readonly string[] {
  const text = capacityText(report);
  return text === null ? [] : ["", `${sentence(text)}.`];
}

function authoritySection(report: PlanReport): readonly string[] {
  const { authority } = report;
  const trust = ["", `${report.stalled === null ? "" : "**Stalls**: "}${code(trustWords(report))}`];
  if (authority === null) return ["", "#### Authority", ...trust];
  const rows = authority.demands
    .map(demandWords)
    .map(
      ({ paths, rule, facts, isMet }) =>
        `| ${isMet ? "ok" : "**missing**"} | ${code(paths)} | ${[rule, ...facts].map(code).join("<br>")} |`,
    );
  const lax = laxWords(authority);
  const people = [
    ...authority.people.gained.map((word) => `- may now: ${code(word)}`),
    ...authority.people.lost.map((word) => `- may no longer: ${code(word)}`),
    ...(lax === null ? [] : [`- ${code(lax)}`]),
  ];
  return [
    ...["", "#### Authority", "", `Plan hash \`${authority.planHash}\`: what \`orrery approve\` signs.`],
    ...(rows.length === 0 ? [] : ["", "| | paths | rule |", "|---|---|---|", ...rows]),
    ...(people.length === 0 ? [] : ["", ...people]),
    ...trust,
  ];
}

const hasNews = ({ dags, documents, blocked, grants, quota }: TenantReport): boolean =>
  dags.length + documents.length + grants.gained.length + grants.lost.length + quota.fields.length > 0 ||
  shareText(quota) !== null ||
  blocked !== null;

function tenantSection(tenant: TenantReport): readonly string[] {
  const { blocked, grants, quota } = tenant;
  const rows = [
    ...tenant.documents.map(({ kind, document, name }) =>
      row(kind, document === "Plugin" ? `Plugin ${name}` : document),
    ),
    ...tenant.dags.map((dag) => row(dag.kind, `Dag ${dag.dagId}`, stateOf(dag))),
  ];
  const points = [
    ...quota.fields.map((change) => `- quota ${code(fieldText(change))}`),
    ...shareLines(quota),
    ...grants.gained.map((grant) => `- may now: ${code(grant)}`),
    ...grants.lost.map((grant) => `- may no longer: ${code(grant)}`),
  ];
  return [
    "",
    `#### Tenant \`${tenant.tenant}\``,
    ...(blocked === null ? [] : ["", blockText(blocked)]),
    ...(rows.length === 0 ? [] : ["", "| | document | |", "|---|---|---|", ...rows]),
    ...(points.length === 0 ? [] : ["", ...points]),
    ...tenant.dags.flatMap(details),
  ];
}

function shareLines(quota: TenantReport["quota"]): readonly string[] {
  const text = shareText(quota);
  return text === null ? [] : [`- ${text}`];
}

const blockText = (blocked: NonNullable<TenantReport["blocked"]>): string =>
  blocked.kind === "held"
    ? "**Held as a whole**: nothing of this tenant is applied."
    : blocked.kind === "freeze"
      ? `**Frozen** until ${blocked.until}: ${code(blocked.rationale)}.`
      : `**Waits**: ${String(blocked.prunes)} of ${String(blocked.of)} DAGs would be pruned, ${String(blocked.allowed)} may be.`;

const row = (kind: keyof typeof signs, name: string, state = ""): string =>
  `| ${signs[kind]} | ${code(name)} | ${state} |`;

function stateOf(dag: DagReport): string {
  if (dag.kind === "prune") return "";
  if (dag.kind === "hold")
    return dag.from === null ? "nothing of it is applied" : `stays at \`${dag.from.slice(0, 12)}\``;
  if (dag.suspended) return "suspended";
  return dag.armed ? "armed" : "not armed";
}

function details(dag: DagReport): readonly string[] {
  const { before, after } = dag.firing;
  const moved = before.map(firingText).join() !== after.map(firingText).join();
  const lines = [
    ...dag.fields.map((change) => `- ${code(fieldText(change))}`),
    ...(moved
      ? [
          `- slots before: ${before.map(firingText).join(", ") || "none"}`,
          `- slots after: ${after.map(firingText).join(", ") || "none"}`,
        ]
      : []),
    ...(dag.runs ?? []).map((run) => `- run #${String(run.runNo)} is ${run.state}: ${run.effect}`),
  ];
  if (lines.length === 0) return [];
  return ["", `<details><summary>Dag <code>${dag.dagId}</code></summary>`, "", ...lines, "", "</details>"];
}

/** As inline code: nothing of a document may become a link, an image, a mention or a cell border. */
function code(text: string): string {
  const flat = printable(text).replaceAll("|", "\\|");
  const fence = "`".repeat(Math.max(0, ...(flat.match(/`+/g) ?? []).map((run) => run.length)) + 1);
  return flat.includes("`") ? `${fence} ${flat} ${fence}` : `${fence}${flat}${fence}`;
}
