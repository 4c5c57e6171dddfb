import path from "node:path";
import { classifyPath, type DocumentKind, schemas } from "../../spec/index.ts";

/** Which documents a schema is for, as an editor's globs. */
const globs: Readonly<Record<DocumentKind, readonly string[]>> = {
  Repository: ["orrery.yaml"],
  Site: ["sites/*.yaml"],
  Tenant: ["tenants/*/tenant.yaml"],
  Quota: ["tenants/*/quota.yaml"],
  Allowlist: ["tenants/*/allowlist.yaml"],
  Slo: ["tenants/*/slo.yaml"],
  Dag: ["tenants/*/dags/*.yaml"],
  Plugin: ["plugins/*/*/plugin.yaml", "tenants/*/plugins/*/*/plugin.yaml"],
};

const kinds = Object.keys(globs) as readonly DocumentKind[];
const nameOf = (kind: DocumentKind) => kind.toLowerCase() as Lowercase<DocumentKind>;
const schemaPath = (name: string): string => `schemas/${name}.schema.json`;

const editorSettingsPath = ".vscode/settings.json";

/**
 * What an editor needs for completion without a network, by repository path: our schemas, and the settings that tie them
 * to documents for those of VS Code's family. Other editors follow the modelines.
 */
export function editorFiles(): ReadonlyMap<string, string> {
  const jsonText = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
  const settings = {
    "yaml.schemas": Object.fromEntries(kinds.map((kind) => [`./${schemaPath(nameOf(kind))}`, globs[kind]])),
    // Its catalogue comes from the network, and has other ideas of plugin.yaml.
    "yaml.schemaStore.enable": false,
  };
  return new Map([
    ...["common" as const, ...kinds.map(nameOf)].map((name) => [schemaPath(name), jsonText(schemas[name])] as const),
    [editorSettingsPath, jsonText(settings)],
    [".vscode/extensions.json", jsonText({ recommendations: ["redhat.vscode-yaml"] })],
  ]);
}

/** The line that ties a document to its schema, for yaml-language-server; "" for what is no document. */
export function modelineOf(documentPath: string): string {
  const kind = classifyPath(documentPath)?.kind;
  if (kind === undefined) return "";
  const relative = path.posix.relative(path.posix.dirname(documentPath), schemaPath(nameOf(kind)));
  return `# yaml-language-server: $schema=${relative}\n`;
}
