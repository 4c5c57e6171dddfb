import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isNode, parseDocument, stringify, visit } from "yaml";
import { canonicalText, type Json } from "../../../src/base/index.ts";
import { sha256, sha256Hex } from "../../../src/base/node-digest.ts";
import { effectiveDag, specHashOf } from "../../../src/spec/index.ts";
import { rounds } from "../../support/effort.ts";
import { dagText, decoded, decodedDag } from "../../support/spec-fixtures.ts";

const vectors = JSON.parse(readFileSync(new URL("../../vectors/spec-hash.json", import.meta.url), "utf8")) as readonly {
  readonly path: string;
  readonly document: string;
  readonly specText: string;
  readonly specHash: string;
}[];

const hashOf = (text: string): string => sha256Hex(decodedDag(text).specText);

const plain = dagText(`steps:
  a:
    uses: core.log@1.0.0
    with: { message: hello }
  b:
    uses: core.log@1.0.0
    needs: [a]`);

const explicit = `# what the defaults are
kind: "Dag"
metadata: { name: sample, tenant: acme }
apiVersion: orrery/v1
spec:
  schedules: []
  inputs: {}
  timeout: 60m
  concurrency: { overlap: queue, max: 1 }
  finally: {}
  steps:
    b:
      needs: a
      "uses": 'core.log@1.0.0'
      continueOnError: false
      files: []
      network: []
      with: {}
      retry: { maxAttempts: 1, backoff: 5000ms, factor: 2.0, maxBackoff: 300s, errors: [transient, timeout] }
      limits: { memory: 131072Ki, cpuTime: 1m, scratch: 16Mi, timeout: 5m }
    a: {with: {"message": "hello"}, uses: core.log@1.0.0}   # flow
`;

describe("specHash", () => {
  it.each(vectors)("equals the golden vector of $path", ({ path, document, specText, specHash }) => {
    const actual = decoded(path, document);

    expect(actual.specText).toBe(specText);
    expect(specHashOf(actual.specText, sha256)).toBe(specHash);
  });

  it("does not see comments, order, style, metadata or written-out defaults", () => {
    expect(hashOf(explicit)).toBe(hashOf(plain));
  });

  it.each([
    ["a text", plain.replace("hello", "hullo")],
    ["a need", plain.replace("[a]", "[]")],
    ["a limit", `${plain}      limits: { memory: 129Mi }\n`],
    ["no class to try again", `${plain}      retry: { errors: [] }\n`],
  ])("sees %s", (_what, changed) => {
    expect(hashOf(changed)).not.toBe(hashOf(plain));
  });

  it("takes a set in any order, and a single need for a list of one", () => {
    const needs = (text: string): string =>
      dagText(
        `steps:\n  a: { uses: core.log@1.0.0 }\n  b: { uses: core.log@1.0.0 }\n  c: { uses: core.log@1.0.0, needs: ${text} }`,
      );

    expect(hashOf(needs("[b, a]"))).toBe(hashOf(needs("[a, b]")));
    expect(hashOf(needs("a"))).toBe(hashOf(needs("[a]")));
  });

  it("takes one duration in several units", () => {
    const timeout = (text: string): string => dagText(`timeout: ${text}\nsteps:\n  a: { uses: core.log@1.0.0 }`);

    expect(new Set([timeout("120s"), timeout("2m"), timeout("120000ms")].map(hashOf)).size).toBe(1);
  });

  it("takes inputs in short form for their whole schema", () => {
    const short = dagText(
      "inputs: { day: { type: date }, n: { type: integer, default: 3 } }\nsteps:\n  a: { uses: core.log@1.0.0 }",
    );
    const whole = dagText(
      "inputsSchema: { type: object, additionalProperties: false, required: [day], properties: { day: { type: string, format: date }, n: { type: integer, default: 3 } } }\nsteps:\n  a: { uses: core.log@1.0.0 }",
    );

    expect(hashOf(short)).toBe(hashOf(whole));
  });

  it("is the same for a document written as block, flow or JSON, whatever it holds", () => {
    fc.assert(
      fc.property(dags, (document) => {
        const written = [
          stringify(document, { aliasDuplicateObjects: false }),
          stringify(document, { aliasDuplicateObjects: false, collectionStyle: "flow", lineWidth: 0 }),
          `# a comment\n${JSON.stringify(document, null, 1)}`,
          stringify(reversed(document), { aliasDuplicateObjects: false, defaultStringType: "QUOTE_DOUBLE" }),
        ];

        expect(new Set(written.map(hashOf)).size).toBe(1);
      }),
      { numRuns: rounds(150, 3750) },
    );
  });

  it("law: sees no comment and no default that is written out, wherever they stand", () => {
    const choices = fc.infiniteStream(fc.boolean());
    fc.assert(
      fc.property(dags, choices, choices, (document, writeOut, comment) => {
        const bare = stringify(document, { aliasDuplicateObjects: false });
        const full = withDefaults(document, () => writeOut.next().value === true);
        const written = parseDocument(stringify(full, { aliasDuplicateObjects: false }));
        visit(written, {
          Pair: (_key, pair) => {
            if (comment.next().value === true && isNode(pair.key)) pair.key.commentBefore = " kind: Quota é";
          },
        });

        expect(hashOf(written.toString({ lineWidth: 0 }))).toBe(hashOf(bare));
      }),
      { numRuns: rounds(150, 5000) },
    );
  });

  it("stands for the effective DAG: equal text, equal values", () => {
    const first = decodedDag(plain);

    expect(effectiveDag(first.specText)).toEqual(first.spec);
    expect(decodedDag(explicit).spec).toEqual(first.spec);
    expect(canonicalText(JSON.parse(first.specText))).toBe(first.specText);
  });
});

const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/).filter((text) => text !== "__proto__");
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => clean(value as Json));
const steps = fc.dictionary(
  name,
  fc.record(
    {
      uses: fc.constantFrom("core.log@1.0.0", "vex-lens.link@1.2.3"),
      needs: fc.uniqueArray(name, { maxLength: 3 }),
      with: fc.dictionary(name, json, { maxKeys: 4 }),
      code: fc.string({ minLength: 1, maxLength: 30 }).map((text) => text.replaceAll(/[^ -~]/g, "x")),
      retry: fc.record(
        { maxAttempts: fc.integer({ min: 1, max: 20 }), backoff: fc.constantFrom("1s", "5s", "1000ms") },
        { requiredKeys: [] },
      ),
      continueOnError: fc.boolean(),
    },
    { requiredKeys: ["uses"] },
  ),
  { minKeys: 1, maxKeys: 5 },
);
const dags = fc.record({
  apiVersion: fc.constant("orrery/v1"),
  kind: fc.constant("Dag"),
  spec: fc.record(
    { rationale: fc.constantFrom("why", "because"), timeout: fc.constantFrom("5m", "1h"), steps },
    { requiredKeys: ["steps"] },
  ),
});

const stepDefaults: Readonly<Record<string, unknown>> = {
  ...{ needs: [], with: {}, files: [], network: [], secrets: {}, continueOnError: false },
  limits: { memory: "128Mi", cpuTime: "1m", scratch: "16384Ki", timeout: "300s" },
};
const retryDefaults = {
  maxAttempts: 1,
  backoff: "5000ms",
  factor: 2,
  maxBackoff: "5m",
  errors: ["transient", "timeout"],
};
const specDefaults: Readonly<Record<string, unknown>> = {
  ...{ inputs: {}, schedules: [], concurrency: { max: 1, overlap: "queue" }, timeout: "1h", finally: {} },
};

/** The document with some of its defaults written out, as `choose` says. */
function withDefaults(document: typeof dags extends fc.Arbitrary<infer T> ? T : never, choose: () => boolean): object {
  const some = (defaults: Readonly<Record<string, unknown>>, own: object): Record<string, unknown> => ({
    ...Object.fromEntries(Object.entries(defaults).filter(([key]) => !(key in own) && choose())),
    ...own,
  });
  const steps = Object.entries(document.spec.steps).map(([id, step]) => {
    const retry = "retry" in step ? step.retry : {};
    return [id, { ...some(stepDefaults, step), retry: some(retryDefaults, retry) }] as const;
  });
  return { ...document, spec: { ...some(specDefaults, document.spec), steps: Object.fromEntries(steps) } };
}

/** JSON that a document may hold: no unsafe integers, no keys or texts that YAML refuses. */
function clean(value: Json): Json {
  if (typeof value === "number") return Number.isInteger(value) && !Number.isSafeInteger(value) ? 0 : value;
  if (typeof value === "string") return value.replaceAll("\u0000", "").toWellFormed();
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(clean);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "__proto__")
      .map(([key, member]) => [key.replaceAll("\u0000", "").toWellFormed(), clean(member)]),
  );
}

function reversed(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(reversed);
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}
