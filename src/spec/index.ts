export { checkDag } from "./check/check-dag.ts";
export { checkQuota } from "./check/check-quota.ts";
export { checkSlo } from "./check/check-slo.ts";
export type { DagContext } from "./check/dag-defect.ts";
export { checkPluginBytes } from "./check/plugin-bytes.ts";
export { knownSecret, type SecretShape } from "./check/secret-shapes.ts";
export { type DecodedDocument, decodeDocument, type SpecDocument, specHashOf } from "./decode/decode-document.ts";
export { classifyPath, type DocumentKind, type DocumentPath, isId, misplacedPath } from "./decode/document-path.ts";
export type { Finding, FindingSeverity } from "./decode/finding.ts";
export { withFurther } from "./decode/further-findings.ts";
export { lastSegment, type Place, type Positions, pointerTo, positionOf } from "./decode/positions.ts";
export { type PlacedValue, sortFindings } from "./decode/schema-findings.ts";
export { type DecodedYaml, decodeYaml, type YamlSource } from "./decode/yaml-document.ts";
export { documentCaps } from "./decode/yaml-tokens.ts";
export {
  type ExpressionAnswer,
  type ExpressionRequest,
  type ExpressionRoots,
  evaluateExpression,
  expressionRoots,
} from "./expression/evaluate-expression.ts";
export { expressionFunctionNames } from "./expression/expression-functions.ts";
export { parseTemplate, type Template, type TemplatePart } from "./expression/expression-template.ts";
export { type FixedDocument, type FixRequest, fixDocument } from "./fix/fix-document.ts";
export { type FormattedDocument, formatDocument } from "./format/format-document.ts";
export { aocKeys, type SchemaName, schemas } from "./generated/schemas.ts";
export type {
  DagSpec,
  ForEachSpec,
  PluginRef,
  RetrySpec,
  ScheduleSpec,
  StepLimits,
  StepSpec,
} from "./normal/dag-spec.ts";
export { defaults } from "./normal/defaults.ts";
export { effectiveDag } from "./normal/effective-dag.ts";
export { effectiveQuota } from "./normal/effective-quota.ts";
export { effectiveAllowlist, effectiveRepository, effectiveTenant } from "./normal/effective-specs.ts";
export type { PluginManifest } from "./normal/plugin-manifest.ts";
export { effectiveQuotaAt, overrideMark, type QuotaSegment, quotaSegments } from "./normal/quota-at.ts";
export { decodeSnapshot, type PinnedFile, type PinnedSecret, type TenantSnapshot } from "./normal/tenant-snapshot.ts";
export type {
  Allowlist,
  EndpointGrant,
  FreezeWindow,
  PathRule,
  Quota,
  QuotaLimits,
  RepositorySpec,
  SiteSpec,
  TenantSpec,
  TrustSpec,
} from "./normal/tenant-spec.ts";
export { patternMatches } from "./value/file-pattern.ts";
export { pathMatcher } from "./value/path-match.ts";
export { type ResolvedInputs, resolveInputs } from "./value/resolve-inputs.ts";
export { durationMs, durationText, sizeBytes, sizeText } from "./value/units.ts";
export { type ValueDefect, valueDefects, valueSchemaDefect } from "./value/value-schema.ts";
