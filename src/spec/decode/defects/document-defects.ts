import type { CodeName, Json, JsonObject } from "../../../base/index.ts";
import type { components } from "../../generated/documents.ts";
import { expandInputs } from "../../normal/inputs-schema.ts";
import { durationMs } from "../../value/units.ts";
import { valueDefects, valueSchemaDefect } from "../../value/value-schema.ts";
import type { DocumentPath } from "../document-path.ts";
import { pointerTo } from "../positions.ts";
import { freezeDefects } from "./freeze-defects.ts";
import { quotaDefects } from "./quota-defects.ts";
import { sloDefects } from "./slo-defects.ts";
import { trustDefects } from "./trust-defects.ts";

type Documents = components["schemas"];

/** What is wrong with one document that its schema cannot say. */
export interface DocumentDefect {
  readonly code: CodeName;
  readonly pointer: string;
  readonly what: "value" | "key";
  readonly message: string;
  readonly fix: string;
}

/** Services of StellaOps: only plugins of the repository may speak for them, since derived fields belong to them. */
const reservedServices = ["core", "policy", "risk-engine", "vex-lens", "export-center", "notify"];

/** The document has passed its schema. */
export function documentDefects(where: DocumentPath, document: JsonObject): readonly DocumentDefect[] {
  const named = metadataDefects(where, (document["metadata"] ?? {}) as JsonObject);
  const spec = document["spec"];
  switch (where.kind) {
    case "Dag":
      return [...named, ...dagDefects(spec as unknown as Documents["Dag"]["spec"])];
    case "Plugin":
      return [...named, ...pluginDefects(where, spec as unknown as Documents["Plugin"]["spec"])];
    case "Site":
      return [...named, ...siteDefects(spec as unknown as Documents["Site"]["spec"])];
    case "Slo":
      return [...named, ...sloDefects(spec as unknown as Documents["Slo"]["spec"])];
    case "Tenant":
      return [...named, ...freezeDefects(spec as unknown as Documents["Tenant"]["spec"])];
    case "Quota":
      return [...named, ...quotaDefects(spec as unknown as Documents["Quota"]["spec"])];
    case "Repository":
      return [...named, ...trustDefects(spec as unknown as Documents["Repository"]["spec"])];
    case "Allowlist":
      return named;
  }
}

function metadataDefects(where: DocumentPath, metadata: JsonObject): readonly DocumentDefect[] {
  const names: Readonly<Record<string, string | null>> = {
    name: nameOf(where),
    tenant: "tenant" in where ? where.tenant : null,
    version: where.kind === "Plugin" ? where.version : null,
  };
  return Object.entries(metadata).flatMap(([key, is]): readonly DocumentDefect[] => {
    if (key === "renamedFrom" && where.kind === "Dag") return is === where.dagId ? [selfRename] : [];
    const must = names[key] ?? null;
    if (is === must) return [];
    const pointer = `/metadata/${key}`;
    const message =
      must === null
        ? `a ${where.kind} has no ${key}`
        : `metadata.${key} is ${JSON.stringify(is)}, the path says ${must}`;
    return [
      {
        code: "SPEC_PATH",
        pointer,
        what: "value",
        message,
        fix: must === null ? "Remove it." : `Write ${must}, or remove it.`,
      },
    ];
  });
}

const selfRename: DocumentDefect = {
  ...{ code: "SPEC_PATH", pointer: "/metadata/renamedFrom", what: "value" },
  message: "metadata.renamedFrom is the name that it has",
  fix: "Remove it.",
};

function nameOf(where: DocumentPath): string | null {
  switch (where.kind) {
    case "Dag":
      return where.dagId;
    case "Plugin":
      return where.name;
    case "Site":
      return where.site;
    case "Tenant":
      return where.tenant;
    case "Repository":
    case "Quota":
    case "Allowlist":
    case "Slo":
      return null;
  }
}

function dagDefects(spec: Documents["Dag"]["spec"]): readonly DocumentDefect[] {
  return [...inputsDefects(spec), ...(spec.schedules ?? []).flatMap(scheduleDefects)];
}

function scheduleDefects(schedule: Documents["Schedule"], index: number): readonly DocumentDefect[] {
  const pointer = `/spec/schedules/${String(index)}`;
  if (schedule.cron !== undefined && schedule.every !== undefined) {
    const fix = "Keep one of them.";
    return [
      { code: "SCHEDULE_INVALID", pointer: `${pointer}/every`, what: "key", message: "both `cron` and `every`", fix },
    ];
  }
  if (schedule.cron === undefined && schedule.every === undefined) {
    const fix = 'Add `cron: "30 3 * * *"` or `every: 15m`.';
    return [{ code: "SCHEDULE_INVALID", pointer, what: "key", message: "neither `cron` nor `every`", fix }];
  }
  return [];
}

function inputsDefects(spec: Documents["Dag"]["spec"]): readonly DocumentDefect[] {
  if (spec.inputs !== undefined && spec.inputsSchema !== undefined) {
    const message = "both `inputs` and `inputsSchema`";
    return [{ code: "SPEC_TYPE", pointer: "/spec/inputsSchema", what: "key", message, fix: "Keep one of them." }];
  }
  if (spec.inputsSchema !== undefined)
    return schemaDefects("/spec/inputsSchema", spec.inputsSchema as unknown as JsonObject);
  const expanded = expandInputs(spec.inputs ?? {});
  const properties = (expanded["properties"] ?? {}) as Readonly<Record<string, JsonObject>>;
  return Object.entries(properties).flatMap(([name, schema]) => {
    const at = pointerTo("/spec/inputs", name);
    const defect = schemaDefect(at, schema);
    return defect === null ? defaultDefects(at, schema) : [defect];
  });
}

function schemaDefects(pointer: string, schema: JsonObject): readonly DocumentDefect[] {
  if (schema["type"] !== "object") {
    const message = "the schema must have `type: object`";
    return [{ code: "SPEC_TYPE", pointer, what: "key", message, fix: "Add type: object." }];
  }
  const defect = schemaDefect(pointer, schema);
  if (defect !== null) return [defect];
  const properties = (schema["properties"] ?? {}) as JsonObject;
  return Object.entries(properties).flatMap(([name, property]) =>
    isObject(property) ? defaultDefects(pointerTo(`${pointer}/properties`, name), property) : [],
  );
}

const isObject = (value: Json): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function schemaDefect(pointer: string, schema: JsonObject): DocumentDefect | null {
  const defect = valueSchemaDefect(schema);
  if (defect === null) return null;
  const fix = "Use a simpler schema: enum, format, minLength, maxLength, maxItems.";
  return { code: "SPEC_TYPE", pointer: pointer + defect.pointer, what: "value", message: defect.message, fix };
}

function defaultDefects(pointer: string, schema: JsonObject): readonly DocumentDefect[] {
  const value = schema["default"];
  if (value === undefined) return [];
  const [defect] = valueDefects(schema, value, "first");
  if (defect === undefined) return [];
  const message = `the default does not fit: ${defect.message}`;
  return [{ code: "SPEC_TYPE", pointer: `${pointer}/default`, what: "value", message, fix: "Correct the default." }];
}

function pluginDefects(
  where: DocumentPath & { readonly kind: "Plugin" },
  spec: Documents["Plugin"]["spec"],
): readonly DocumentDefect[] {
  const owner = where.name.slice(0, where.name.indexOf("."));
  const found: DocumentDefect[] = [];
  const add = (pointer: string, message: string, fix: string): void => {
    found.push({ code: "SPEC_TYPE", pointer, what: "value", message, fix });
  };
  if (spec.service !== owner)
    add("/spec/service", `service is ${spec.service}, the path says ${owner}`, `Write ${owner}.`);
  else if (where.tenant !== null && reservedServices.includes(owner)) {
    add(
      "/spec/service",
      `a tenant's own plugin cannot speak for ${owner}`,
      "Name the plugin after a service of the tenant.",
    );
  }
  if ((spec.needs?.builtins ?? []).length > 0 && spec.isolation !== "host") {
    add(
      "/spec/needs/builtins",
      "built-ins are there only with `isolation: host`",
      "Add isolation: host, or remove builtins.",
    );
  }
  const input = schemaDefects("/spec/input", spec.input as unknown as JsonObject);
  return [...found, ...input, ...schemaDefects("/spec/output", spec.output as unknown as JsonObject)];
}

function siteDefects(spec: Documents["Site"]["spec"]): readonly DocumentDefect[] {
  return [...keyDefects(spec), ...offlineDefects(spec)];
}

function offlineDefects({ offline = {} }: Documents["Site"]["spec"]): readonly DocumentDefect[] {
  const { warnAfter = "never", stopAfter = "never" } = offline;
  if (warnAfter === "never" || stopAfter === "never" || durationMs(warnAfter) < durationMs(stopAfter)) return [];
  const message = `the site would stop after ${stopAfter}, before it warns after ${warnAfter}`;
  const fix = "Let it warn first.";
  return [{ code: "SPEC_TYPE", pointer: "/spec/offline/stopAfter", what: "value", message, fix }];
}

function keyDefects(spec: Documents["Site"]["spec"]): readonly DocumentDefect[] {
  let last = 0;
  return spec.audit.keys.flatMap((key, index): readonly DocumentDefect[] => {
    const from = key.from ?? 1;
    const rises = from > last;
    last = from;
    if (rises) return [];
    const pointer = `/spec/audit/keys/${String(index)}`;
    const message = `from: ${String(from)} does not follow the key before it`;
    return [
      { code: "SPEC_TYPE", pointer, what: "key", message, fix: "Order the keys by `from`, each later than the last." },
    ];
  });
}
