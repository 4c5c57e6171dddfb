import { drained, type Hex, type Sha256, type Steps } from "../../base/index.ts";
import { checkSchedule, shortestInterval } from "../../calendar/index.ts";
import { grantFindings, type SecretKnowledge } from "../../policy/index.ts";
import {
  type Allowlist,
  checkDag,
  checkQuota,
  checkSlo,
  classifyPath,
  type DagContext,
  type DagSpec,
  type DecodedDocument,
  type DocumentPath,
  effectiveAllowlist,
  effectiveQuota,
  effectiveQuotaAt,
  effectiveTenant,
  type Finding,
  isId,
  type PinnedFile,
  type PinnedSecret,
  type PluginManifest,
  positionOf,
  type Quota,
  type QuotaLimits,
  type SpecDocument,
  sortFindings,
  specHashOf,
  type TenantSpec,
  withFurther,
} from "../../spec/index.ts";
import type { DesiredDag, DesiredTenant } from "./desired.ts";
import { JudgedDags } from "./judged-dags.ts";
import { type Placed, pluginHashesOf, readPlugins } from "./tenant-plugins.ts";

export interface TenantInput {
  readonly tenant: string;
  readonly fingerprint: string;
  /** The instant that is judged: overrides of a quota end. */
  readonly at: Date;
  /** By path: all documents of the tenant, and plugin.yaml of every plugin of the repository. Others are ignored. */
  readonly documents: ReadonlyMap<string, DecodedDocument>;
  /** SHA-256 of every plugin.js by path. */
  readonly pluginBytes: ReadonlyMap<string, Hex>;
  /** All of tenants/<tenant>/files/, in any order. */
  readonly files: readonly PinnedFile[];
  /** Age files of the tenant in any order, and what the site knows of values (null: nobody asked one). */
  readonly secrets: { readonly pinned: readonly PinnedSecret[]; readonly site: SecretKnowledge["site"] };
}

/**
 * What a revision wants of one tenant: decoded documents judged together. A DAG with an `error` is unreadable (held
 * alone), one with a `denied` is readable and not armed; a tenant whose tenant.yaml, quota.yaml or allowlist.yaml does
 * not decode is unreadable as a whole. Depends on nothing but its input: two sites arm the same DAGs, unless one of them lacks a secret.
 */
export const assembleTenant = (input: TenantInput, sha256: Sha256): DesiredTenant =>
  drained(assembleSteps(input, sha256));

/** The same, pausing at each DAG: a tenant may have ten thousand. `judged` keeps what need not be judged again. */
export function* assembleSteps(
  input: TenantInput,
  sha256: Sha256,
  judged: JudgedDags = new JudgedDags(),
): Steps<DesiredTenant> {
  const placed = yield* placedDocuments(input);
  const { plugins, findings: pluginFindings } = readPlugins(placed, input.pluginBytes);
  const shared = placed.filter(({ where }) => where?.kind !== "Dag");
  const findings = [...sortFindings([...shared.flatMap(({ decoded }) => findingsOf(decoded)), ...pluginFindings])];
  const { tenant, fingerprint } = input;
  if (shared.some(holdsTenant)) {
    return { kind: "unreadable", tenant, fingerprint, findings };
  }
  const specs = specsOf(shared);
  const files = [...input.files].sort((a, b) => byCodeUnits(a.path, b.path));
  const secrets = [...input.secrets.pinned].sort((a, b) => byCodeUnits(a.name, b.name));
  const known = { pinned: secrets.map(({ name }) => name), site: input.secrets.site };
  const limits = effectiveQuotaAt(specs.quota, input.at);
  const context: TenantContext = {
    ...specs,
    quota: limits,
    plugins,
    files: files.map((file) => file.path),
    secrets: known,
    sha256,
  };
  judged.judgeBy(context);
  const dags: DesiredDag[] = [];
  for (const document of dagDocuments(placed)) {
    dags.push(judged.of(document.path, document.decoded, () => readDag(document, context)));
    yield;
  }
  findings.push(...sloFindings(shared, dags), ...quotaFindings(shared, input.at));
  yield;
  findings.push(...renameFindings(dags));
  const { suspended, freeze, quota, allowlist } = specs;
  const pluginHashes = pluginHashesOf(plugins, sha256);
  const rest = { dags, plugins, pluginHashes, files, secrets, findings };
  return { kind: "readable", tenant, fingerprint, suspended, freeze, quota, allowlist, ...rest };
}

/** Those that are read for the tenant, by path. */
function* placedDocuments({ documents, tenant }: TenantInput): Steps<readonly Placed[]> {
  const placed: Placed[] = [];
  for (const [path, decoded] of documents) {
    yield;
    const where = classifyPath(path);
    if (belongs(path, where, tenant)) placed.push({ path, where, decoded });
  }
  return placed.sort((a, b) => byCodeUnits(a.path, b.path));
}

/** A name is taken over once it is free. */
function renameFindings(dags: readonly DesiredDag[]): readonly Finding[] {
  const renamed = dags.filter((dag) => dag.kind === "readable" && dag.renamedFrom !== null);
  if (renamed.length === 0) return [];
  const names = new Set(dags.map(({ dagId }) => dagId));
  return renamed.flatMap((dag) => {
    if (dag.kind === "unreadable" || dag.renamedFrom === null || !names.has(dag.renamedFrom)) return [];
    const message = `${dag.renamedFrom} still stands in the repository: ${dag.dagId} takes nothing over from it`;
    const fix = `Remove dags/${dag.renamedFrom}.yaml in the same commit, or metadata.renamedFrom.`;
    const place = { line: 0, col: 0, pointer: "/metadata/renamedFrom" };
    return [{ code: "SPEC_PATH", severity: "warning", path: dag.path, ...place, message, fix } as const];
  });
}

interface TenantContext {
  readonly suspended: boolean;
  readonly quota: QuotaLimits;
  readonly allowlist: Allowlist;
  readonly plugins: Readonly<Record<string, PluginManifest>>;
  readonly files: readonly string[];
  readonly secrets: SecretKnowledge;
  readonly sha256: Sha256;
}

// A broken plugin or a stray file holds what names it, not the tenant.
const holdsTenant = ({ where, decoded }: Placed): boolean =>
  !decoded.ok && where !== null && ["Tenant", "Quota", "Allowlist"].includes(where.kind);

function belongs(path: string, where: DocumentPath | null, tenant: string): boolean {
  if (where === null) return path.startsWith(`tenants/${tenant}/`);
  if (where.kind === "Plugin") return where.tenant === null || where.tenant === tenant;
  return where.kind !== "Repository" && where.kind !== "Site" && where.tenant === tenant;
}

const findingsOf = (decoded: DecodedDocument): readonly Finding[] => (decoded.ok ? decoded.warnings : decoded.findings);

function specsOf(
  shared: readonly Placed[],
): Pick<TenantContext, "suspended" | "allowlist"> & Pick<TenantSpec, "freeze"> & { readonly quota: Quota } {
  const documents = shared.flatMap(({ decoded }) => (decoded.ok ? [decoded.document] : []));
  const find = <Kind extends SpecDocument["kind"]>(kind: Kind) =>
    documents.find((document): document is Extract<SpecDocument, { kind: Kind }> => document.kind === kind);
  const { suspend: suspended, freeze } = find("Tenant")?.spec ?? effectiveTenant(null);
  return {
    ...{ suspended, freeze },
    quota: find("Quota")?.spec ?? effectiveQuota(null),
    allowlist: find("Allowlist")?.spec ?? effectiveAllowlist(null),
  };
}

function quotaFindings(shared: readonly Placed[], at: Date): readonly Finding[] {
  return shared.flatMap(({ path, decoded }) => {
    if (!decoded.ok || decoded.document.kind !== "Quota") return [];
    const { spec, positions } = decoded.document;
    return checkQuota(spec, { path, positions, at });
  });
}

/** A broken slo.yaml holds nothing: no run depends on it. */
function sloFindings(shared: readonly Placed[], dags: readonly DesiredDag[]): readonly Finding[] {
  return shared.flatMap(({ path, decoded }) => {
    if (!decoded.ok || decoded.document.kind !== "Slo") return [];
    const { spec, positions } = decoded.document;
    const specs = new Map(dags.map((dag) => [dag.dagId, dag.kind === "readable" ? dag.spec : null]));
    const shortestIntervalMs = ({ schedules }: DagSpec): number =>
      schedules.length === 1 && schedules[0] !== undefined ? shortestInterval(schedules[0], anyMonday) : Infinity;
    return checkSlo(spec, { path, positions, dags: specs, shortestIntervalMs });
  });
}

interface DagDocument {
  readonly path: string;
  readonly dagId: string;
  readonly decoded: DecodedDocument;
}

// A file that was misnamed by its ending or its case is an unreadable DAG, not an absent one: it must not be pruned.
function dagDocuments(placed: readonly Placed[]): readonly DagDocument[] {
  const documents = new Map<string, DagDocument>();
  for (const { path, where, decoded } of placed) {
    const near = where === null && !decoded.ok ? misnamedDag.exec(path)?.[1]?.toLowerCase() : undefined;
    if (near !== undefined && isId(near) && !documents.has(near)) documents.set(near, { path, dagId: near, decoded });
  }
  for (const { path, where, decoded } of placed) {
    if (where?.kind === "Dag") documents.set(where.dagId, { path, dagId: where.dagId, decoded });
  }
  return [...documents.values()].sort((a, b) => byCodeUnits(a.dagId, b.dagId));
}

const misnamedDag = /^tenants\/[^/]+\/dags\/([^/]+)\.ya?ml$/i;

function readDag({ path, dagId, decoded }: DagDocument, context: TenantContext): DesiredDag {
  if (!decoded.ok) {
    const { draft, findings } = decoded;
    const further = draft?.kind === "Dag" ? dagFindings(draft, context) : [];
    return { kind: "unreadable", dagId, path, findings: withFurther(findings, further) };
  }
  const { document, warnings } = decoded;
  if (document.kind !== "Dag") throw new TypeError(`${path} was decoded as ${document.kind}`);
  const { spec, specText } = document;
  const findings = sortFindings([...dagFindings(document, context), ...warnings]);
  if (findings.some((finding) => finding.severity === "error")) return { kind: "unreadable", dagId, path, findings };
  const armed = !findings.some((finding) => finding.severity === "denied");
  const specHash = specHashOf(specText, context.sha256);
  const { renamedFrom } = document;
  return {
    kind: "readable",
    dagId,
    path,
    renamedFrom,
    specHash,
    specText,
    spec,
    armed,
    suspended: context.suspended,
    findings,
  };
}

/** What is wrong in itself, and what is not granted: a person corrects both at once. */
function dagFindings(
  { path, spec, positions }: SpecDocument & { readonly kind: "Dag" },
  { plugins, files, quota, allowlist, secrets }: TenantContext,
): readonly Finding[] {
  const plugin: DagContext["plugin"] = ({ name, version }) => plugins[`${name}@${version}`] ?? null;
  const denials = grantFindings(spec, {
    ...{ quota, allowlist, secrets, path },
    place: (pointer) => positionOf(positions, pointer),
    // One that cannot be is an error already, and has no interval.
    shortestIntervalMs: (schedule) =>
      checkSchedule(schedule) === null ? shortestInterval(schedule, anyMonday) : Infinity,
  });
  const errors = checkDag(spec, { path, positions, plugin, files, checkSchedule });
  // Nobody is told to ask for a plugin that is not there.
  const wrong = new Set(errors.map(({ pointer }) => pointer));
  return [...errors, ...denials.filter(({ pointer }) => !wrong.has(pointer))];
}

// From a fixed instant: whether a schedule is granted must not depend on the day of the pass.
const anyMonday = new Date(Date.UTC(2024, 0, 1));

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
