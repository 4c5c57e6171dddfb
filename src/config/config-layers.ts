import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { Fault, type Json, type JsonObject } from "../base/index.ts";
import { decodeYaml } from "../spec/index.ts";
import type { Environment } from "./environment.ts";

/** A dotted key of config.schema.json, as `http.listen`. */
export type ConfigKey = (typeof configKeys)[number];

const configKeys = [
  "site.name",
  "spec.ref",
  "repository",
  "data",
  "http.listen",
  "metrics.listen",
  "audit.repository",
  "audit.maxLag",
  "sandbox.minLevel",
  "sandbox.hosts",
  "sandbox.allowWeak.level",
  "sandbox.allowWeak.reason",
  "uids.base",
  "database.url",
  "trust.pinnedSigners",
] as const;

const numeric: ReadonlySet<ConfigKey> = new Set(["sandbox.hosts", "uids.base"]);

export type Flags = Partial<Readonly<Record<ConfigKey, string>>>;

/** `ORRERY_HTTP_LISTEN` for `http.listen`; DATABASE_URL counts as `database.url`. Unknown ORRERY_ names are left alone. */
export function environmentLayer(environment: Environment): JsonObject {
  let layer: JsonObject = {};
  for (const key of configKeys) {
    const name = `ORRERY_${key
      .replaceAll(".", "_")
      .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
      .toUpperCase()}`;
    const value =
      environment.settings[name] ?? (key === "database.url" ? environment.settings["DATABASE_URL"] : undefined);
    if (value !== undefined) layer = withMember(layer, key, scalarOf(key, value));
  }
  return layer;
}

export function flagLayer(flags: Flags): JsonObject {
  let layer: JsonObject = {};
  for (const key of configKeys) {
    const value = flags[key];
    if (value !== undefined) layer = withMember(layer, key, scalarOf(key, value));
  }
  return layer;
}

export const configFileOf = (dataDir: string): string => path.join(dataDir, "config.yaml");

/** `<data>/config.yaml`, `{}` where there is none. */
export function fileLayer(dataDir: string): JsonObject {
  const file = configFileOf(dataDir);
  if (!existsSync(file)) return {};
  const decoded = decodeYaml({ path: file, bytes: readFileSync(file) });
  if (!decoded.ok) {
    const lines = decoded.findings.map(
      (finding) => `${finding.path}:${finding.line}:${finding.col} ${finding.message}`,
    );
    throw new Fault("CONFIG_INVALID", lines.join("\n"));
  }
  const value = decoded.value;
  if (!isObject(value)) throw new Fault("CONFIG_INVALID", `${file}: the document must be a mapping`);
  return value;
}

/** Members of `over` win, at every depth. */
export function mergeLayers(under: JsonObject, over: JsonObject): JsonObject {
  const out: Record<string, Json> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = out[key];
    out[key] = isObject(below) && isObject(value) ? mergeLayers(below, value) : value;
  }
  return out;
}

function withMember(object: JsonObject, key: string, value: Json): JsonObject {
  const [head = "", ...rest] = key.split(".");
  const below = object[head];
  return {
    ...object,
    [head]: rest.length === 0 ? value : withMember(isObject(below) ? below : {}, rest.join("."), value),
  };
}

function scalarOf(key: ConfigKey, text: string): Json {
  return numeric.has(key) && /^\d{1,10}$/.test(text) ? Number(text) : text;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
