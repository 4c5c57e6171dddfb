import type { JsonObject } from "../../base/index.ts";

/** plugin.yaml with defaults filled in. A version is immutable. */
export interface PluginManifest {
  readonly name: string;
  readonly version: string;
  /** core | policy | risk-engine | vex-lens | export-center | notify, or the tenant's own. */
  readonly service: string;
  readonly emits: "raw" | "derived";
  /** Hex SHA-256 of plugin.js. */
  readonly sha256: string;
  readonly effects: "none" | "idempotent" | "any";
  readonly needs: {
    readonly network: boolean;
    readonly builtins: readonly string[];
    /** By name in byte order; a step gives each that is not optional, and no other. */
    readonly secrets: readonly { readonly name: string; readonly optional: boolean }[];
  };
  readonly isolation: "realm" | "host";
  readonly nondeterministic: boolean;
  /** JSON Schema (2020-12) of the resolved `with`. */
  readonly input: JsonObject;
  readonly output: JsonObject;
}
