import {
  type CodeName,
  canonicalText,
  type Hex,
  hexDigestWith,
  type Json,
  type JsonObject,
  type Sha256,
} from "../../base/index.ts";
import { secretLines } from "../check/secret-shapes.ts";
import type { SchemaName } from "../generated/schemas.ts";
import type { DagSpec } from "../normal/dag-spec.ts";
import { effectiveDag } from "../normal/effective-dag.ts";
import { effectiveQuota } from "../normal/effective-quota.ts";
import {
  effectiveAllowlist,
  effectivePlugin,
  effectiveRepository,
  effectiveSite,
  effectiveSlo,
  effectiveTenant,
} from "../normal/effective-specs.ts";
import { normalSpec } from "../normal/normal-form.ts";
import type { PluginManifest } from "../normal/plugin-manifest.ts";
import type { Allowlist, Quota, RepositorySpec, SiteSpec, Slo, TenantSpec } from "../normal/tenant-spec.ts";
import { documentDefects } from "./defects/document-defects.ts";
import { classifyPath, type DocumentPath, misplacedPath } from "./document-path.ts";
import type { Finding } from "./finding.ts";
import { type Position, type Positions, packPositions, placesOf, positionOf } from "./positions.ts";
import { clip, type PlacedValue, schemaFindings, sortFindings } from "./schema-findings.ts";
import { decodeYaml, type YamlSource } from "./yaml-document.ts";
import { documentCaps } from "./yaml-tokens.ts";

interface Decoded {
  readonly path: string;
  /** Canonical JSON of {apiVersion, kind, spec} in normal form: what is hashed and stored. */
  readonly specText: string;
  /** Places by pointer into the normal form, for findings that come later; see `positionOf`. */
  readonly positions: Positions;
}

/** One document of the repository; plain data that threads can hand over. */
export type SpecDocument = Decoded &
  (
    | { readonly kind: "Repository"; readonly spec: RepositorySpec }
    | { readonly kind: "Site"; readonly site: string; readonly spec: SiteSpec }
    | { readonly kind: "Tenant"; readonly tenant: string; readonly spec: TenantSpec }
    | { readonly kind: "Quota"; readonly tenant: string; readonly spec: Quota }
    | { readonly kind: "Allowlist"; readonly tenant: string; readonly spec: Allowlist }
    | { readonly kind: "Slo"; readonly tenant: string; readonly spec: Slo }
    | {
        readonly kind: "Dag";
        readonly tenant: string;
        readonly dagId: string;
        /** metadata.renamedFrom: the name that it had. */
        readonly renamedFrom: string | null;
        readonly spec: DagSpec;
      }
    | {
        readonly kind: "Plugin";
        /** null = for every tenant. */
        readonly tenant: string | null;
        readonly name: string;
        readonly version: string;
        readonly spec: PluginManifest;
      }
  );

export type DecodedDocument =
  | { readonly ok: true; readonly document: SpecDocument; readonly warnings: readonly Finding[] }
  | {
      readonly ok: false;
      readonly findings: readonly Finding[];
      /** What it would be without its unknown and repeated keys, so that lint can go on; never applied. */
      readonly draft?: SpecDocument;
    };

const apiVersion = "orrery/v1";

/**
 * Decodes one file of the repository: YAML, schema, what a schema cannot say, normal form, effective values. Bad input
 * is findings with a place, never an exception. A path that is no document's is one finding (`SPEC_PATH`).
 */
export function decodeDocument(source: YamlSource): DecodedDocument {
  const decoded = decode(source);
  return decoded.ok ? decoded : { ...decoded, findings: decoded.findings.slice(0, maxFindings).map(shortened) };
}

const maxFindings = 100;

/** What is wrong may be a word of 5,000 letters, which the message repeats. */
const shortened = (finding: Finding): Finding => ({ ...finding, message: clip(finding.message, maxMessage) });
const maxMessage = 1000;

function decode(source: YamlSource): DecodedDocument {
  const where = classifyPath(source.path);
  if (where === null) return { ok: false, findings: [pathFinding(source.path)] };
  const yaml = decodeYaml(source);
  const read = yaml.ok ? yaml : yaml.read;
  const found = [...(yaml.ok ? [] : yaml.findings), ...secretFindings(source)];
  if (read === undefined) return { ok: false, findings: sortFindings(found) };
  const placed: PlacedValue = { path: source.path, value: read.value, positions: read.positions };
  for (const judge of [kindFindings, kindSchemaFindings, defectFindings]) {
    found.push(...judge(where, placed));
    if (found.some(({ code }) => !goesOn.includes(code))) return { ok: false, findings: sortFindings(found) };
  }
  if (yaml.ok && found.length === 0) return { ok: true, document: documentOf(where, placed), warnings: yaml.warnings };
  const draft = where.kind === "Dag" ? { draft: documentOf(where, placed) } : {};
  return { ok: false, findings: sortFindings(found), ...draft };
}

const kindSchemaFindings = ({ kind }: DocumentPath, placed: PlacedValue): readonly Finding[] =>
  schemaFindings(kind.toLowerCase() as SchemaName, placed);

/** A key too many hides nothing of what stands beside it: the rest is judged as well. */
const goesOn: readonly CodeName[] = ["SPEC_DUPLICATE_KEY", "SPEC_UNKNOWN_KEY", "SECRET_IN_SPEC"];

/** Known shapes wherever they stand: in a comment a key is as public as in a value. Messages never hold them. */
function secretFindings({ path, bytes }: YamlSource): readonly Finding[] {
  if (bytes.length > documentCaps.hardBytes) return [];
  return secretLines(new TextDecoder().decode(bytes)).map(({ what, line, offset }) => ({
    ...{ code: "SECRET_IN_SPEC", severity: "error", path, line, col: offset + 1, pointer: "" },
    message: `${what} stands in the repository`,
    fix: "Withdraw it where it is valid, then name it under `secrets`: it stays in the history.",
  }));
}

function defectFindings(where: DocumentPath, { path, value, positions }: PlacedValue): readonly Finding[] {
  return documentDefects(where, value as JsonObject).map(({ what, ...defect }): Finding => {
    return { severity: "error", path, ...positionOf(positions, defect.pointer, what), ...defect };
  });
}

function documentOf(where: DocumentPath, { path, value, positions }: PlacedValue): SpecDocument {
  const spec = normalSpec(where.kind, (value as { readonly spec: JsonObject }).spec);
  const specText = canonicalText({ apiVersion, kind: where.kind, spec });
  const decoded = { path, specText, positions: setPositions(positions, value) };
  return { ...decoded, ...effectiveOf(where, specText), ...renameOf(where, value) } as SpecDocument;
}

function renameOf({ kind }: DocumentPath, document: Json): object {
  if (kind !== "Dag") return {};
  return { renamedFrom: memberOf(memberOf(document, "metadata"), "renamedFrom") ?? null };
}

/** The normal form sorts the sets of a step: their items' places move along, or a finding would name a neighbour. */
function setPositions(positions: Positions, document: Json): Positions {
  const moved: Record<string, Position> = {};
  for (const { pointer, written } of stepSets(document)) {
    const sorted = [...written].sort();
    if (sorted.every((item, index) => item === written[index])) continue;
    for (const [index, item] of sorted.entries()) {
      const position = placesOf(positions)[`${pointer}/${String(written.indexOf(item))}`];
      if (position !== undefined) moved[`${pointer}/${String(index)}`] = position;
    }
  }
  return Object.keys(moved).length === 0 ? positions : packPositions({ ...placesOf(positions), ...moved });
}

interface StepSet {
  readonly pointer: string;
  readonly written: readonly string[];
}

function stepSets(document: Json): readonly StepSet[] {
  const spec = memberOf(document, "spec");
  return ["steps", "finally"].flatMap((section) => {
    const steps = memberOf(spec, section);
    const stepIds = typeof steps === "object" && steps !== null ? Object.keys(steps) : [];
    return stepIds.flatMap((stepId) =>
      ["needs", "files", "network"].map((set): StepSet => {
        const items = memberOf(memberOf(steps, stepId), set);
        const written = Array.isArray(items) ? (items as readonly string[]) : [];
        return { pointer: `/spec/${section}/${stepId}/${set}`, written };
      }),
    );
  });
}

const memberOf = (value: Json | undefined, key: string): Json | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject)[key] : undefined;

/** The hash of a normal form's text. */
export const specHashOf = (specText: string, sha256: Sha256): Hex => hexDigestWith(sha256)(specText);

function pathFinding(path: string): Finding {
  const { message, fix } = misplacedPath(path) ?? {
    message: `${path} is no document`,
    fix: "See the layout of a spec repository.",
  };
  return { code: "SPEC_PATH", severity: "error", path, line: 0, col: 0, pointer: "", message, fix };
}

/** The path decides the kind: with another one, every further finding would be about the wrong schema. */
function kindFindings({ kind: wanted }: DocumentPath, { path, value, positions }: PlacedValue): readonly Finding[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const message = `the document must be a mapping, not ${kindOfValue(value)}`;
    const fix = `Begin with apiVersion: ${apiVersion} and kind: ${wanted}.`;
    return [{ code: "SPEC_TYPE", severity: "error", path, ...positionOf(positions, ""), pointer: "", message, fix }];
  }
  const document = value as JsonObject;
  return (["apiVersion", "kind"] as const).flatMap((key): readonly Finding[] => {
    const is = document[key];
    const must = key === "kind" ? wanted : apiVersion;
    if (is === undefined || is === must) return [];
    const shown = typeof is === "string" ? clip(is) : kindOfValue(is);
    const message = key === "kind" ? `kind is ${shown}, but the path is that of a ${wanted}` : `apiVersion is ${shown}`;
    const place = positionOf(positions, `/${key}`);
    return [
      {
        code: "SPEC_KIND",
        severity: "error",
        path,
        ...place,
        pointer: `/${key}`,
        message,
        fix: `Write ${key}: ${must}.`,
      },
    ];
  });
}

function kindOfValue(value: Json): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a mapping" : `a ${typeof value}`;
}

function effectiveOf(where: DocumentPath, specText: string): object {
  switch (where.kind) {
    case "Repository":
      return { kind: where.kind, spec: effectiveRepository(specText) };
    case "Site":
      return { kind: where.kind, site: where.site, spec: effectiveSite(specText) };
    case "Tenant":
      return { kind: where.kind, tenant: where.tenant, spec: effectiveTenant(specText) };
    case "Quota":
      return { kind: where.kind, tenant: where.tenant, spec: effectiveQuota(specText) };
    case "Allowlist":
      return { kind: where.kind, tenant: where.tenant, spec: effectiveAllowlist(specText) };
    case "Slo":
      return { kind: where.kind, tenant: where.tenant, spec: effectiveSlo(specText) };
    case "Dag":
      return { kind: where.kind, tenant: where.tenant, dagId: where.dagId, spec: effectiveDag(specText) };
    case "Plugin": {
      const { kind, tenant, name, version } = where;
      return { kind, tenant, name, version, spec: effectivePlugin(specText, { name, version }) };
    }
  }
}
