/**
 * Types for plugin authors. A plugin is one classic script built with `esbuild --bundle --format=iife --global-name=plugin`
 * (`orrery plugin build`), whose default export is a task:
 *
 *     import { type Context, defineTask } from "orrery/sdk";
 *     export default defineTask({ run: async (input: Input, ctx: Context) => ({ ... }) })
 */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type JsonOutput = { readonly [key: string]: JsonValue | undefined };

/** Plain data; may stand in outputs and in the `with` of another step. */
export type ArtifactReference = {
  /** SHA-256, 64 lower-case hex digits. */
  readonly artifact: string;
  readonly bytes: number;
  readonly mediaType: string;
};

export type DeclaredFile = {
  /** Below tenants/<tenant>/files/. */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
};

export interface Files {
  /** What the step declares with `files:`, by path. */
  list(): readonly DeclaredFile[];
  /** The whole file. Fails with code SANDBOX_DENIED for a path that is not in `list()`. */
  read(path: string): Promise<Uint8Array>;
  /** The file in pieces of at most 512 KiB. */
  stream(path: string): AsyncIterable<Uint8Array>;
}

export interface Artifacts {
  /** Only artifacts whose reference stands in this step's `with`. */
  read(reference: { readonly artifact: string }): Promise<Uint8Array>;
  stream(reference: { readonly artifact: string }): AsyncIterable<Uint8Array>;
  write(content: Uint8Array | string | AsyncIterable<Uint8Array>, mediaType: string): Promise<ArtifactReference>;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface Context {
  readonly tenant: string;
  readonly dagId: string;
  readonly runId: string;
  readonly stepId: string;
  /** The item of a `forEach`, from 0; 0 without one. */
  readonly index: number;
  /** Counts from 1. */
  readonly attempt: number;
  /** The same for every attempt of this asking: send it along with each effect. */
  readonly idempotencyKey: string;
  readonly traceparent: string;
  readonly baggage: Readonly<Record<string, string>>;
  /** The instant of the run (its slot), `YYYY-MM-DDTHH:mm:ss.SSSZ`; `Date` tells the same. */
  readonly now: string;
  /** Aborts a little before `limits.timeout` ends the step. */
  readonly signal: AbortSignal;
  readonly secrets: Readonly<Record<string, string>>;
  readonly files: Files;
  readonly artifacts: Artifacts;
  readonly log: (level: LogLevel, message: string, fields?: { readonly [key: string]: unknown }) => void;
  /** The machine's clock; only in steps that declare `network`. */
  readonly wallClock?: () => Date;
  /** core.js only: the step's `code`, compiled in this realm. */
  readonly code?: (input: unknown, ctx: Context) => unknown;
}

/** `run` returns a JSON object (I-JSON: no undefined members in arrays, NaN, lone surrogates or U+0000). */
export interface Task<Input = never> {
  run(input: Input, ctx: Context): Promise<JsonOutput> | JsonOutput;
}

/** Throw an error with `transient: true` to be tried again under `retry.errors: [transient]`. */
export type DefineTask = <T extends Task>(task: T) => T;

/** Holds a task to its type; does nothing else. `orrery plugin build` brings the same in place of `orrery/sdk`. */
export const defineTask: DefineTask = (task) => task;
