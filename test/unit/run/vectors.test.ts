import { execFileSync, spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { Json } from "../../../src/base/index.ts";
import { sha256 } from "../../../src/base/node-digest.ts";
import {
  contextOf,
  inputsHashOf,
  itemsHashOf,
  outputsHashOf,
  replayTokenOf,
  runIdOf,
  runOutputsHashOf,
  runTokenOf,
  specHashOf,
  stepHashOf,
  stepKeyOf,
} from "../../../src/run/index.ts";
import hashes from "../../vectors/hashes.json" with { type: "json" };
import runIds from "../../vectors/run-id.json" with { type: "json" };
import tokens from "../../vectors/tokens.json" with { type: "json" };

// The functions as the vectors name them: from `input` to the hash that stands there.
const functions: Readonly<Record<string, (input: never) => string>> = {
  specHashOf: (input) => specHashOf(input, sha256),
  inputsHashOf: (input) => inputsHashOf(input, sha256),
  outputsHashOf: (input) => outputsHashOf(input, sha256),
  itemsHashOf: (input) => itemsHashOf(input, sha256),
  runOutputsHashOf: (input) => runOutputsHashOf(input, sha256),
  stepHashOf: (input) => stepHashOf(input, sha256),
  stepKeyOf: (input) => stepKeyOf(input, sha256),
  runTokenOf: (input) => runTokenOf(input, sha256),
  contextOf: (input) => contextOf(input, sha256).seed,
};

interface Vector {
  readonly name: string;
  readonly function: string;
  readonly input: unknown;
  readonly hashed: unknown;
  readonly canonical: string;
  readonly sha256: string;
}

const vectors: readonly Vector[] = [...hashes.vectors, ...tokens.vectors];

describe("golden vectors", () => {
  it.each(vectors.filter((v) => v.function in functions))("$function: $name", (vector) => {
    expect(functions[vector.function]?.(vector.input as never)).toBe(vector.sha256);
  });

  it.each(tokens.vectors.filter((v) => v.function === "replayTokenOf"))("replayTokenOf: $name", (vector) => {
    const token = replayTokenOf(vector.input as never);

    expect(token).toBe(vector.token);
    const claim = JSON.parse(Buffer.from(token.slice(5), "base64url").toString()) as Json;
    expect(claim).toEqual(vector.input);
  });

  it.each(runIds.vectors)("runIdOf: $runId", ({ runToken, admittedMs, admittedUtc, runId }) => {
    expect(runIdOf(runToken, new Date(admittedMs))).toBe(runId);
    expect(new Date(admittedMs).toISOString()).toBe(admittedUtc);
  });

  it("names every function that it covers", () => {
    const covered = new Set(vectors.map((v) => v.function));

    for (const name of [...Object.keys(functions), "replayTokenOf"]) expect(covered).toContain(name);
  });
});

const has = (tool: string): boolean => spawnSync(tool, ["--version"]).status === 0;
const missing = ["jq", "sha256sum", "bash"].filter((tool) => !has(tool));

describe.skipIf(missing.length > 0)(
  `golden vectors by jq and sha256sum${missing.length > 0 ? `: no ${missing.join(", ")}` : ""}`,
  () => {
    it.each(["hashes", "tokens"])("an auditor recomputes %s.json", (file) => {
      const script = `set -eu
      n=$(jq '.vectors | length' "$1"); i=0
      while [ $i -lt $n ]; do
        [ "$(jq -cS ".vectors[$i].hashed" "$1")" = "$(jq -r ".vectors[$i].canonical" "$1")" ]
        [ "$(jq -j ".vectors[$i].canonical" "$1" | sha256sum | cut -c1-64)" = "$(jq -r ".vectors[$i].sha256" "$1")" ]
        i=$((i + 1))
      done; echo $n`;

      const out = execFileSync("bash", ["--norc", "-c", script, "audit", `test/vectors/${file}.json`], {
        encoding: "utf8",
      });

      expect(Number(out)).toBe((file === "hashes" ? hashes : tokens).vectors.length);
    });

    it("an auditor recomputes run-id.json with the line of bash that it names", () => {
      const line = runIds.how.slice(runIds.how.indexOf("In bash: ") + 9);

      for (const { runToken, admittedMs, runId } of runIds.vectors) {
        const env = { runToken, admittedMs: String(admittedMs), PATH: process.env["PATH"] ?? "" };
        expect(execFileSync("bash", ["--norc", "-c", line], { env, encoding: "utf8" }).trim()).toBe(runId);
      }
    });
  },
);
