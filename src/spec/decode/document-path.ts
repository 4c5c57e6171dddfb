import leven from "leven";

/** What stands at a repository path (DESIGN.md section 3). The path decides kind, tenant and name. */
export type DocumentPath =
  | { readonly kind: "Repository"; readonly path: string }
  | { readonly kind: "Site"; readonly path: string; readonly site: string }
  | { readonly kind: "Tenant" | "Quota" | "Allowlist" | "Slo"; readonly path: string; readonly tenant: string }
  | { readonly kind: "Dag"; readonly path: string; readonly tenant: string; readonly dagId: string }
  | {
      readonly kind: "Plugin";
      readonly path: string;
      /** null = a plugin of the repository, for every tenant. */
      readonly tenant: string | null;
      readonly name: string;
      readonly version: string;
    };

export type DocumentKind = DocumentPath["kind"];

const id = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
const version = "(?:0|[1-9][0-9]{0,8})(?:\\.(?:0|[1-9][0-9]{0,8})){2}";
const sitePath = new RegExp(`^sites/(${id})\\.yaml$`);
const tenantPath = new RegExp(`^tenants/(${id})/(tenant|quota|allowlist|slo)\\.yaml$`);
const dagPath = new RegExp(`^tenants/(${id})/dags/(${id})\\.yaml$`);
const pluginPath = new RegExp(`^(?:tenants/(${id})/)?plugins/(${id}\\.${id})/(${version})/plugin\\.yaml$`);

const tenantKinds = { tenant: "Tenant", quota: "Quota", allowlist: "Allowlist", slo: "Slo" } as const;

export const isId = (text: string): boolean => idOnly.test(text);
const idOnly = new RegExp(`^${id}$`);

/** Which document a repository path is; null for every other file. */
export function classifyPath(path: string): DocumentPath | null {
  if (path === "orrery.yaml") return { kind: "Repository", path };
  const site = sitePath.exec(path)?.[1];
  if (site !== undefined) return { kind: "Site", path, site };
  return tenantDocument(path) ?? pluginDocument(path);
}

function tenantDocument(path: string): DocumentPath | null {
  const [, tenant, file] = tenantPath.exec(path) ?? [];
  if (tenant !== undefined) return { kind: tenantKinds[file as keyof typeof tenantKinds], path, tenant };
  const [, dagTenant, dagId] = dagPath.exec(path) ?? [];
  return dagTenant !== undefined && dagId !== undefined ? { kind: "Dag", path, tenant: dagTenant, dagId } : null;
}

function pluginDocument(path: string): DocumentPath | null {
  const plugin = pluginPath.exec(path);
  if (plugin?.[2] === undefined || plugin[3] === undefined) return null;
  return { kind: "Plugin", path, tenant: plugin[1] ?? null, name: plugin[2], version: plugin[3] };
}

/**
 * Why a path that is no document looks as if it were meant to be one; null for files that are nobody's business
 * (README.md, plugin.js, keys/, tenants/<tenant>/files/).
 */
export function misplacedPath(path: string): { readonly message: string; readonly fix: string } | null {
  if (classifyPath(path) !== null || !/\.ya?ml$/i.test(path)) return null;
  if (/^(tenants\/[^/]+\/files|keys)\//.test(path) || !/^(tenants|sites|plugins)\/|^[^/]+$/.test(path)) return null;
  const parts = path.split("/");
  if (parts.length === 1) return rootMisplaced(path);
  if (path.endsWith(".yml") && classifyPath(path.replace(/\.yml$/, ".yaml")) !== null) {
    return {
      message: `${path} is not read: documents end in .yaml`,
      fix: `Rename it to ${path.replace(/yml$/, "yaml")}.`,
    };
  }
  const bad = parts.map((part) => part.replace(/\.ya?ml$/i, "")).find((part) => !/^[a-z0-9.-]+$/.test(part));
  if (bad !== undefined) {
    return {
      message: `"${bad}" is no name: lower-case letters, digits and inner hyphens`,
      fix: "Rename the file or folder.",
    };
  }
  return nearMiss(path, parts);
}

function rootMisplaced(path: string): { readonly message: string; readonly fix: string } | null {
  // Other tools keep their own files at the root of a repository.
  if (leven(path.toLowerCase(), "orrery.yaml") > 2) return null;
  return { message: `${path} is not read`, fix: "Rename it to orrery.yaml." };
}

function nearMiss(path: string, parts: readonly string[]): { readonly message: string; readonly fix: string } {
  if (parts[0] === "tenants" && parts.length === 3) {
    return {
      message: `${path} is not read`,
      fix: "A tenant has tenant.yaml, quota.yaml, allowlist.yaml, slo.yaml and dags/<dagId>.yaml.",
    };
  }
  if (parts[0] === "sites") return { message: `${path} is not read`, fix: "A site is sites/<site>.yaml." };
  if (parts.includes("plugins")) {
    return { message: `${path} is not read`, fix: "A plugin is plugins/<service>.<task>/<x.y.z>/plugin.yaml." };
  }
  return { message: `${path} is not read`, fix: "A DAG is tenants/<tenant>/dags/<dagId>.yaml." };
}
