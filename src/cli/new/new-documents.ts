import { lstatSync, readdirSync } from "node:fs";
import path from "node:path";
import { Fault } from "../../base/index.ts";
import { sha256Hex } from "../../base/node-digest.ts";
import { openWorkTree } from "../../git/index.ts";
import { DesiredReader } from "../../reconciler/index.ts";
import { isId } from "../../spec/index.ts";
import { withCompute } from "../one-compute.ts";
import { nearestText } from "../query/nearest.ts";
import { usage } from "../terminal.ts";
import { allowlistText, dagText, pluginScript, pluginText, quotaText, tenantText } from "./document-texts.ts";
import { chooseFirstStep } from "./first-step.ts";

/** Files to be written, by repository path, without modelines, and what a person does next. */
export interface NewDocuments {
  readonly files: ReadonlyMap<string, string>;
  readonly next: readonly string[];
}

/** Tenants of a work tree, in byte order. */
function tenantsOf(root: string): readonly string[] {
  const folder = path.join(root, "tenants");
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && isId(entry.name))
    .map(({ name }) => name)
    .sort();
}

export function newTenant(root: string, tenant: string, owner: string): NewDocuments {
  const at = `tenants/${tenant}`;
  return {
    files: new Map([
      [`${at}/tenant.yaml`, tenantText(owner)],
      [`${at}/quota.yaml`, quotaText],
      [`${at}/allowlist.yaml`, allowlistText(coreGrants(root))],
    ]),
    next: [
      `orrery new dag ${tenant}/hello`,
      `Look into sites/*.yaml: a site runs ${tenant} where \`tenants\` names it or "*".`,
    ],
  };
}

export function newQuota(root: string, tenant: string): NewDocuments {
  checkTenant(root, tenant);
  return { files: new Map([[`tenants/${tenant}/quota.yaml`, quotaText]]), next: ["orrery plan shows what it changes"] };
}

export function newAllowlist(root: string, tenant: string): NewDocuments {
  checkTenant(root, tenant);
  const files = new Map([[`tenants/${tenant}/allowlist.yaml`, allowlistText(coreGrants(root))]]);
  return { files, next: [`orrery grants ${tenant}`] };
}

/** Fault NOT_FOUND without the tenant; PLUGIN_UNKNOWN where no plugin stands that a first step could use. */
export async function newDag(root: string, tenant: string, dagId: string): Promise<NewDocuments> {
  checkTenant(root, tenant);
  const tree = openWorkTree(root);
  const { desired } = await withCompute((compute) =>
    new DesiredReader(tree, compute).readTenant(tree.root, tenant, new AbortController().signal),
  );
  if (desired.kind === "unreadable")
    throw new Fault("SPEC_YAML", `a document of tenants/${tenant}/ does not decode: orrery lint says which`);
  const choice = chooseFirstStep(Object.values(desired.plugins), desired.allowlist);
  if (choice === null)
    throw new Fault(
      "PLUGIN_UNKNOWN",
      "no plugin stands in plugins/ that a first step could use: orrery new plugin NAME",
    );
  const { name, version } = choice.step.uses;
  return {
    files: new Map([[`tenants/${tenant}/dags/${dagId}.yaml`, dagText(choice.step)]]),
    next: [
      `orrery run ${tenant}/${dagId}   once it is committed and applied`,
      ...(choice.isGranted
        ? []
        : [`Ask for ${name}@${version} in tenants/${tenant}/allowlist.yaml: until then the DAG is not armed`]),
    ],
  };
}

/** Of one tenant, or of the repository (null). */
export function newPlugin(
  root: string,
  ref: { readonly name: string; readonly version: string },
  tenant: string | null,
): NewDocuments {
  if (tenant !== null) checkTenant(root, tenant);
  const { name, version } = ref;
  const at = `${tenant === null ? "" : `tenants/${tenant}/`}plugins/${name}/${version}`;
  const service = name.slice(0, name.indexOf("."));
  return {
    files: new Map([
      [`${at}/plugin.js`, pluginScript],
      [`${at}/plugin.yaml`, pluginText({ service, sha256: sha256Hex(Buffer.from(pluginScript, "utf8")) })],
    ]),
    next: [
      `After each edit of ${at}/plugin.js orrery lint names the digest that plugin.yaml needs`,
      `Grant it in allowlist.yaml: { name: ${name}, versions: ["${version}"] }`,
    ],
  };
}

/** Fault NOT_FOUND, with the nearest name. */
export function checkTenant(root: string, tenant: string): void {
  const known = tenantsOf(root);
  if (known.includes(tenant)) return;
  const hint = nearestText(tenant, known);
  throw new Fault("NOT_FOUND", `there is no tenant ${tenant}${hint === "" ? `: orrery new tenant ${tenant}` : hint}`);
}

/** core.* where the repository has any: a grant of what is not there says nothing. */
function coreGrants(root: string): readonly { readonly name: string; readonly versions: string }[] {
  const folder = path.join(root, "plugins");
  const has =
    lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === true &&
    readdirSync(folder).some((name) => name.startsWith("core."));
  return has ? [{ name: "core.*", versions: "1.x" }] : [];
}

const pluginName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const versionText = /^(0|[1-9]\d{0,8})(\.(0|[1-9]\d{0,8})){2}$/;

/** `<service>.<task>[@x.y.z]`. Fault USAGE. */
export function parsePluginRef(text: string): { readonly name: string; readonly version: string } {
  const [name = "", version = "1.0.0", ...rest] = text.split("@");
  if (!pluginName.test(name) || !versionText.test(version) || rest.length > 0)
    throw usage(`${text} is not SERVICE.TASK or SERVICE.TASK@x.y.z, as notify.post@1.0.0`);
  return { name, version };
}

export function parseId(text: string, what: string): string {
  if (!isId(text)) throw usage(`${text} is no name of a ${what}: lower-case letters, digits and inner hyphens`);
  return text;
}
