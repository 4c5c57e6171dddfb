import type { CodeName } from "../../base/index.ts";
import { nameMatches } from "../../policy/index.ts";
import { type Finding, lastSegment, positionOf, type SpecDocument, type StepSpec } from "../../spec/index.ts";
import type { TenantInput } from "./assemble-tenant.ts";

/** The line of a document that refused, or that would have to grant. `line` 0: the file is not there, its defaults hold. */
export interface FindingRule {
  readonly path: string;
  readonly line: number;
  readonly col: number;
  /** RFC 6901, into that document. */
  readonly pointer: string;
}

/**
 * Which rule of the repository a finding comes from: the allowlist's or quota's line, or the plugin's schema. Null = the
 * rule is the language's own (schema, graph, expressions), and nobody changes it in this repository.
 */
export function findingRule(finding: Finding, input: TenantInput): FindingRule | null {
  const asked = { finding, step: stepOf(finding, input), tenant: input.tenant, documents: input.documents };
  return rules[finding.code]?.(asked) ?? null;
}

const rules: Partial<Record<CodeName, (asked: Asked) => FindingRule | null>> = {
  PLUGIN_NOT_ALLOWED: (asked) => ruleAt(asked, "allowlist", pluginPointer(asked)),
  ENDPOINT_NOT_ALLOWED: (asked) => ruleAt(asked, "allowlist", endpointPointer(asked)),
  SECRET_NOT_ALLOWED: (asked) => ruleAt(asked, "allowlist", secretPointer(asked)),
  LIMIT_OVER_QUOTA: (asked) => ruleAt(asked, "quota", `/spec/perStep/${lastSegment(asked.finding.pointer)}`),
  INTERVAL_BELOW_QUOTA: (asked) => ruleAt(asked, "quota", "/spec/minInterval"),
  STEP_INPUT: (asked) => pluginRule(asked, "/spec/input"),
  PLUGIN_DIGEST: (asked) => pluginDigestRule(asked),
};

interface Asked {
  readonly finding: Finding;
  /** The step that the finding stands in. */
  readonly step: Pick<StepSpec, "uses" | "network" | "secrets"> | null;
  readonly tenant: string;
  readonly documents: TenantInput["documents"];
}

function documentAt({ documents }: Asked, path: string): SpecDocument | null {
  const decoded = documents.get(path);
  return decoded?.ok === true ? decoded.document : null;
}

function ruleAt(asked: Asked, file: "allowlist" | "quota", pointer: string): FindingRule {
  const path = `tenants/${asked.tenant}/${file}.yaml`;
  const document = documentAt(asked, path);
  const place = document === null ? { line: 0, col: 0 } : positionOf(document.positions, pointer, "key");
  return { path, ...place, pointer };
}

function stepOf({ path, pointer }: Finding, { documents }: TenantInput): Asked["step"] {
  const [, section, stepId] = /^\/spec\/(steps|finally)\/([^/]+)/.exec(pointer) ?? [];
  const decoded = documents.get(path);
  if (decoded?.ok !== true || decoded.document.kind !== "Dag") return null;
  const steps = section === "finally" ? decoded.document.spec.finally : decoded.document.spec.steps;
  return steps.find((step) => step.stepId === stepId) ?? null;
}

/** The grant that names the plugin and not this version, else the whole list. */
function pluginPointer(asked: Asked): string {
  const allowlist = documentAt(asked, `tenants/${asked.tenant}/allowlist.yaml`);
  const { step } = asked;
  if (allowlist?.kind !== "Allowlist" || step === null) return "/spec/plugins";
  const near = allowlist.spec.plugins.findIndex(({ name }) => nameMatches(name, step.uses.name));
  return near < 0 ? "/spec/plugins" : `/spec/plugins/${String(near)}/versions`;
}

/** The grant that names the host for another port or plugin, else the whole list. */
function endpointPointer(asked: Asked): string {
  const allowlist = documentAt(asked, `tenants/${asked.tenant}/allowlist.yaml`);
  const target = asked.step?.network[Number(lastSegment(asked.finding.pointer))] ?? "";
  if (allowlist?.kind !== "Allowlist") return "/spec/endpoints";
  const host = target.slice(0, target.lastIndexOf(":"));
  const port = Number(target.slice(host.length + 1));
  const near = allowlist.spec.endpoints.findIndex((grant) => grant.host === host);
  if (near < 0) return "/spec/endpoints";
  const isPort = allowlist.spec.endpoints[near]?.port === port;
  return `/spec/endpoints/${String(near)}/${isPort ? "for" : "port"}`;
}

/** The grant that names the secret for another plugin, else the whole list. */
function secretPointer(asked: Asked): string {
  const allowlist = documentAt(asked, `tenants/${asked.tenant}/allowlist.yaml`);
  const name = asked.step?.secrets[lastSegment(asked.finding.pointer)];
  const near = allowlist?.kind === "Allowlist" ? allowlist.spec.secrets.findIndex((grant) => grant.name === name) : -1;
  return near < 0 ? "/spec/secrets" : `/spec/secrets/${String(near)}/for`;
}

function pluginRule(asked: Asked, pointer: string): FindingRule | null {
  if (asked.step === null) return null;
  const { name, version } = asked.step.uses;
  const own = `plugins/${name}/${version}/plugin.yaml`;
  // The repository's own comes first, as when the plugins are read.
  for (const path of [own, `tenants/${asked.tenant}/${own}`]) {
    const document = documentAt(asked, path);
    if (document !== null) return { path, ...positionOf(document.positions, pointer, "key"), pointer };
  }
  return null;
}

function pluginDigestRule(asked: Asked): FindingRule | null {
  const { path } = asked.finding;
  const document = documentAt(asked, path);
  const pointer = "/spec/sha256";
  return document === null ? null : { path, ...positionOf(document.positions, pointer), pointer };
}
