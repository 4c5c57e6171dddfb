import { canonicalText, type Hex, hexDigestWith, type Json, type JsonObject, type Sha256 } from "../base/index.ts";

/*
 * The hashes of DESIGN.md section 2: hex SHA-256 of canonical JSON (RFC 8785). Golden values stand in test/vectors/, in
 * a form that `sha256sum` and `jq` recompute. All throw NotIJson for what JSON cannot carry; a sensitive value must
 * have been replaced by `hmac-sha256:<hex>` before it comes here.
 */

/** sha256(JCS(value)). */
export const canonicalHash = (value: unknown, sha256: Sha256): Hex => hexDigestWith(sha256)(canonicalText(value));

/** `specText` = the normal form {apiVersion, kind, spec} as canonical text (spec/ makes it). */
export const specHashOf = (specText: string, sha256: Sha256): Hex => hexDigestWith(sha256)(specText);

/** After defaults; none = `{}`. Of an attempt: its resolved `with`. */
export const inputsHashOf = (inputs: JsonObject, sha256: Sha256): Hex => canonicalHash(inputs, sha256);

export const outputsHashOf = (output: Json, sha256: Sha256): Hex => canonicalHash(output, sha256);

/** Of a forEach step: the hash of each item by index, null where it published none; `[]` has a hash too. */
export const itemsHashOf = (hashes: readonly (Hex | null)[], sha256: Sha256): Hex => canonicalHash(hashes, sha256);

/** Of a run: every step of `steps`, never of `finally`; null = it published no output. */
export const runOutputsHashOf = (outputsHashes: Readonly<Record<string, Hex | null>>, sha256: Sha256): Hex =>
  canonicalHash(outputsHashes, sha256);

/** What is asked of a plugin. */
export interface StepAsk {
  /** Hex SHA-256 of plugin.js. */
  readonly plugin: Hex;
  /** Resolved. */
  readonly with: JsonObject;
  /** The text itself; its SHA-256 is what counts. */
  readonly code: string | null;
  readonly files: readonly { readonly path: string; readonly sha256: Hex }[];
  /** `host:port`. */
  readonly network: readonly string[];
  /** Name in the plugin: name of the secret. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** *What* is asked, whoever asks: limits are not in it. Files and network in any order. */
export function stepHashOf(ask: StepAsk, sha256: Sha256): Hex {
  const files = ask.files.map((file) => ({ path: file.path, sha256: file.sha256 }));
  return canonicalHash(
    {
      plugin: ask.plugin,
      with: ask.with,
      code: ask.code === null ? null : hexDigestWith(sha256)(ask.code),
      files: files.sort((a, b) => byCodeUnits(a.path, b.path)),
      network: [...ask.network].sort(byCodeUnits),
      secrets: ask.secrets,
    },
    sha256,
  );
}

export interface StepKeyParts {
  readonly runToken: Hex;
  readonly stepId: string;
  /** 0 without forEach. */
  readonly index: number;
  readonly stepHash: Hex;
}

/** *This* asking: equal over attempts, handed to the plugin as its idempotency key. */
export const stepKeyOf = ({ runToken, stepId, index, stepHash }: StepKeyParts, sha256: Sha256): Hex =>
  canonicalHash({ runToken, stepId, index, stepHash }, sha256);

// The order of JCS itself (UTF-16 code units); never a locale's.
const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
