import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeDocument, fixDocument } from "../../../src/spec/index.ts";
import { rounds, soakTimeout } from "../../support/effort.ts";
import { exampleBytes, lint } from "../../support/spec-fixtures.ts";

/** Good documents of every kind. */
const good: readonly (readonly [path: string, bytes: Buffer])[] = [
  ...readdirSync(new URL("../../../specs-example/tenants/acme/dags/", import.meta.url)).map(
    (name) => `tenants/acme/dags/${name}`,
  ),
  ...["tenant", "quota", "allowlist", "slo"].map((name) => `tenants/acme/${name}.yaml`),
  "orrery.yaml",
  "plugins/core.log/1.0.0/plugin.yaml",
  "plugins/vex-lens.link/1.0.0/plugin.yaml",
].map((path) => [path, Buffer.from(exampleBytes(path))]);

/** What breaks readers: marks of YAML and CEL, huge and odd scalars, names that JavaScript knows. */
const hostile = [
  ...[
    "[",
    "{",
    "}",
    "]",
    "&a ",
    "*a",
    "!!x ",
    "%YAML 1.1\n",
    "---\n",
    "...\n",
    "? ",
    "- ",
    ": ",
    "|\n",
    ">\n",
    "\t",
    "#",
  ],
  ...["${{", "}}", "${{ ${{ }} }}", "${{ [1].map(x, [1].map(y, x)) }}", "${{ '", "${{ a.b.c.d }}", "'", '"', "\\"],
  ...["1e400", "9007199254740993", ".inf", "-0", "0x", "null", "~", "<<", "__proto__", "constructor", "toString"],
  ...["\u0000", "\ud800", "\ufeff", "\u2028", "\r", "é".normalize("NFD"), "a".repeat(5000), "[".repeat(300)],
];

const mutation = fc.oneof(
  fc.record({
    kind: fc.constant("insert"),
    at: fc.nat(),
    what: fc.constantFrom(...hostile),
    times: fc.nat({ max: 3 }),
  }),
  fc.record({ kind: fc.constant("token"), at: fc.nat(), what: fc.constantFrom(...hostile), times: fc.constant(1) }),
  fc.record({
    kind: fc.constant("line"),
    at: fc.nat(),
    what: fc.constantFrom("drop", "double", "swap", "indent"),
    times: fc.constant(1),
  }),
  fc.record({
    kind: fc.constant("byte"),
    at: fc.nat(),
    what: fc.constantFrom("\u0080", "\u00ff", "\u0000"),
    times: fc.constant(1),
  }),
);

type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

function mutated(bytes: Buffer, { kind, at, what, times }: Mutation): Buffer {
  if (kind === "byte") {
    const copy = Buffer.from(bytes);
    if (copy.length > 0) copy[at % copy.length] = what.charCodeAt(0);
    return copy;
  }
  const text = bytes.toString("utf8");
  if (kind === "line") return Buffer.from(lineMutation(text.split("\n"), at, what).join("\n"));
  const offset = text.length === 0 ? 0 : at % text.length;
  if (kind === "insert") return Buffer.from(text.slice(0, offset) + what.repeat(times + 1) + text.slice(offset));
  const rest = text.slice(offset);
  const token = /[\w.@"'-]+/.exec(rest);
  if (token === null) return bytes;
  const start = offset + token.index;
  return Buffer.from(text.slice(0, start) + what + text.slice(start + token[0].length));
}

function lineMutation(lines: readonly string[], at: number, what: string): readonly string[] {
  const n = at % Math.max(1, lines.length);
  const [line = "", next = ""] = [lines[n], lines[n + 1]];
  const instead =
    { drop: [next], double: [line, line, next], swap: [next, line], indent: [`  ${line}`, next] }[what] ?? [];
  return [...lines.slice(0, n), ...instead, ...lines.slice(n + 2)];
}

/** CPU time, not wall time: a loaded machine is no slow reader. */
function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Far above the tens of ms that these take, far below what a quadratic reader takes. */
const boundMs = 4000;
const boundHeap = 400 * 1024 * 1024;

describe("good specs of every kind, mutated", () => {
  it(
    "are answered in bounded time, memory and length, decoded, linted and fixed",
    () => {
      const heap = process.memoryUsage().heapUsed;
      let answered = 0;
      fc.assert(
        fc.property(
          fc.constantFrom(...good),
          fc.array(mutation, { minLength: 1, maxLength: 5 }),
          ([path, bytes], edits) => {
            const hurt = edits.reduce(mutated, bytes);
            const ms = cpuMs(() => {
              const decoded = decodeDocument({ path, bytes: hurt });
              const findings = decoded.ok ? decoded.warnings : decoded.findings;
              expect(decoded.ok || findings.length > 0).toBe(true);
              expect(findings.length).toBeLessThanOrEqual(100);
              for (const { message, line, col } of findings) {
                expect(message.length).toBeLessThan(2000);
                expect(line).toBeLessThanOrEqual(hurt.toString("utf8").split("\n").length);
                expect(col).toBeGreaterThanOrEqual(0);
              }
              if (decoded.ok && decoded.document.kind === "Dag") lint(hurt.toString("utf8"));
              fixDocument({ path, text: hurt.toString("utf8"), sha256OfBytes: null });
            });
            answered += 1;
            expect(ms).toBeLessThan(boundMs);
          },
        ),
        { numRuns: rounds(500, 40_000) },
      );
      expect(answered).toBeGreaterThan(0);
      expect(process.memoryUsage().heapUsed - heap).toBeLessThan(boundHeap);
    },
    soakTimeout(90_000),
  );

  it("the corpus of bad specs, each cut off anywhere, is answered", () => {
    const text = readFileSync(new URL("../../vectors/bad-specs/dags.yaml", import.meta.url));
    fc.assert(
      fc.property(fc.nat({ max: text.length }), fc.nat({ max: 4000 }), (at, length) => {
        const ms = cpuMs(() => {
          decodeDocument({ path: "tenants/acme/dags/sample.yaml", bytes: text.subarray(at, at + length) });
        });
        expect(ms).toBeLessThan(boundMs);
      }),
      { numRuns: rounds(200, 10_000) },
    );
  });
});
