export { checkDag } from "./check-dag.ts";
export type { DagContext } from "./dag-defect.ts";
export type { DagSpec, ForEachSpec, PluginRef, RetrySpec, ScheduleSpec, StepLimits, StepSpec } from "./dag-spec.ts";
export { type DecodedDocument, decodeDocument, type SpecDocument, specHashOf } from "./decode-document.ts";
export { defaults } from "./defaults.ts";
export { classifyPath, type DocumentKind, type DocumentPath, isId, misplacedPath } from "./document-path.ts";
export { effectiveDag } from "./effective-dag.ts";
export { effectiveAllowlist, effectiveQuota, effectiveRepository, effectiveTenant } from "./effective-specs.ts";
export {
  type ExpressionAnswer,
  type ExpressionRequest,
  type ExpressionRoots,
  evaluateExpression,
  expressionRoots,
} from "./evaluate-expression.ts";
export { parseTemplate, type Template, type TemplatePart } from "./expression-template.ts";
export { patternMatches } from "./file-pattern.ts";
export type { Finding, FindingSeverity } from "./finding.ts";
export { aocKeys, type SchemaName, schemas } from "./generated/schemas.ts";
export { checkPluginBytes } from "./plugin-bytes.ts";
export type { PluginManifest } from "./plugin-manifest.ts";
export { type Place, type Positions, pointerTo, positionOf } from "./positions.ts";
export { type ResolvedInputs, resolveInputs } from "./resolve-inputs.ts";
export { type PlacedValue, sortFindings } from "./schema-findings.ts";
export type { PinnedFile, TenantSnapshot } from "./tenant-snapshot.ts";
export type { Allowlist, EndpointGrant, Quota, RepositorySpec, SiteSpec, TenantSpec } from "./tenant-spec.ts";
export { durationMs, durationText, sizeBytes, sizeText } from "./units.ts";
export { type ValueDefect, valueDefects, valueSchemaDefect } from "./value-schema.ts";
export { type DecodedYaml, decodeYaml, type YamlSource } from "./yaml-document.ts";
export { documentCaps } from "./yaml-tokens.ts";
