import path from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { Fault, type JsonObject } from "../base/index.ts";
import { durationMs, schemas } from "../spec/index.ts";
import type { Config, Level, Listen } from "./config.ts";
import { environmentLayer, type Flags, fileLayer, flagLayer, mergeLayers } from "./config-layers.ts";
import type { Environment } from "./environment.ts";

interface ConfigSource {
  readonly flags: Flags;
  readonly environment: Environment;
  /** Base of relative paths. */
  readonly cwd: string;
  readonly isRoot: boolean;
}

/** As decoded by config.schema.json, defaults filled in. */
interface ConfigDocument {
  readonly site: { readonly name: string };
  readonly spec: { readonly ref: string };
  readonly repository?: string;
  readonly http: { readonly listen: string };
  readonly metrics: { readonly listen: string };
  readonly audit: { readonly repository: string; readonly maxLag: string };
  readonly sandbox: {
    readonly minLevel: Level;
    readonly allowWeak?: { readonly level: Level; readonly reason: string };
    readonly hosts?: number;
  };
  readonly uids: { readonly base: number };
  readonly database: { readonly url?: string };
  readonly trust: { readonly pinnedSigners?: string };
}

const sections = ["site", "spec", "http", "metrics", "audit", "sandbox", "uids", "database", "trust"] as const;

/**
 * Flags over environment over `<data>/config.yaml` over defaults, deep-frozen. All problems together as one Fault
 * CONFIG_INVALID, each line naming the key.
 */
export function loadConfig(source: ConfigSource): Config {
  const upper = mergeLayers(environmentLayer(source.environment), flagLayer(source.flags));
  const dataDir = dataDirOf(upper, source);
  const merged = mergeLayers(fileLayer(dataDir), upper);
  const document = decodeDocument(merged);
  if (document.repository === undefined) {
    throw new Fault(
      "CONFIG_INVALID",
      "repository: which spec repository? Give --repo DIR, or write `repository:` into config.yaml",
    );
  }
  return deepFreeze(configOf(document, document.repository, dataDir, source));
}

/** `--data`, ORRERY_DATA, else `/var/lib/orrery` as root and `$XDG_STATE_HOME/orrery` (`~/.local/state/orrery`) else. */
export function dataDirOf(layer: JsonObject, { environment, cwd, isRoot }: ConfigSource): string {
  const named = layer["data"];
  if (typeof named === "string") return path.resolve(cwd, named);
  if (isRoot) return "/var/lib/orrery";
  const stateHome =
    environment.stateHome ?? (environment.home === null ? null : path.join(environment.home, ".local", "state"));
  if (stateHome === null) throw new Fault("CONFIG_INVALID", "data: HOME is not set; give --data DIR");
  return path.join(stateHome, "orrery");
}

function decodeDocument(merged: JsonObject): ConfigDocument {
  const ajv = new Ajv2020({ allErrors: true, useDefaults: true, strict: true });
  ajv.addSchema(schemas.common);
  const validate = ajv.compile<ConfigDocument>(schemas.config);
  const document: Record<string, unknown> = structuredClone(merged);
  for (const section of sections) document[section] ??= {};
  if (validate(document)) return document;
  const lines = (validate.errors ?? []).map((error) => {
    const key = error.instancePath.slice(1).replaceAll("/", ".");
    const extra: unknown = error.params["additionalProperty"];
    return typeof extra === "string"
      ? `${key === "" ? extra : `${key}.${extra}`}: there is no such key`
      : `${key}: ${error.message ?? "does not fit"}`;
  });
  throw new Fault("CONFIG_INVALID", [...new Set(lines)].join("\n"));
}

function configOf(
  document: ConfigDocument,
  repository: string,
  dataDir: string,
  { cwd, environment }: ConfigSource,
): Config {
  const { audit, sandbox } = document;
  return {
    site: document.site.name,
    specRef: document.spec.ref,
    repository: path.resolve(cwd, repository),
    dataDir,
    credentialsDir: environment.credentialsDir,
    http: listenOf(document.http.listen),
    metrics: listenOf(document.metrics.listen),
    audit: {
      repository: audit.repository === "same" ? null : path.resolve(cwd, audit.repository),
      maxLagMs: durationMs(audit.maxLag),
    },
    sandbox: { minLevel: sandbox.minLevel, allowWeak: sandbox.allowWeak ?? null, hosts: sandbox.hosts ?? null },
    uidsBase: document.uids.base,
    databaseUrl: document.database.url ?? null,
    pinnedSigners: document.trust.pinnedSigners === undefined ? null : path.resolve(cwd, document.trust.pinnedSigners),
  };
}

function listenOf(text: string): Listen {
  const at = text.lastIndexOf(":");
  return { host: text.slice(0, at).replace(/^\[(.*)\]$/, "$1"), port: Number(text.slice(at + 1)) };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}
