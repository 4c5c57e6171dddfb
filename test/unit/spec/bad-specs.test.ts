import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { checkSchedule } from "../../../src/calendar/index.ts";
import { decodeDocument, type Finding } from "../../../src/spec/index.ts";
import { bytesOf, lint, marked } from "../../support/spec-fixtures.ts";

/** One bad document of test/vectors/bad-specs. */
interface BadSpec {
  readonly name: string;
  /** Repository path; default: a DAG. */
  readonly path?: string;
  readonly code: string;
  readonly severity?: string;
  /** Stands in the message or in the fix. */
  readonly says?: string;
  /** Stands in the fix. */
  readonly fix?: string;
  readonly text: string;
}

const dagPath = "tenants/acme/dags/sample.yaml";
const folder = new URL("../../vectors/bad-specs/", import.meta.url);
const corpus = readdirSync(folder)
  .sort()
  .map((file) => ({ file, specs: parse(readFileSync(new URL(file, folder), "utf8")) as readonly BadSpec[] }));

/** As the daemon judges it: decoded first, and a DAG against its tenant. */
function judge(path: string, text: string): readonly Finding[] {
  const decoded = decodeDocument({ path, bytes: bytesOf(text) });
  if (!decoded.ok) return decoded.findings;
  return decoded.document.kind === "Dag" ? lint(text, { checkSchedule }) : decoded.warnings;
}

describe.each(corpus)("bad specs: $file", ({ specs }) => {
  it.each(specs)("$name", ({ path = dagPath, code, severity = "error", says, fix, text: source }) => {
    const { text, line, col } = marked(source);

    const findings = judge(path, text);

    const found = findings.filter((finding) => finding.code === code && finding.line === line && finding.col === col);
    const places = findings.map((finding) => `${finding.code} ${String(finding.line)}:${String(finding.col)}`);
    expect(found.length > 0 ? [] : places, `expected ${code} ${String(line)}:${String(col)}`).toEqual([]);
    expect(found[0]).toMatchObject({ severity, path });
    for (const finding of findings) {
      expect(finding.message).not.toBe("");
      expect(finding.fix).not.toBe("");
    }
    if (says !== undefined) expect(`${found[0]?.message ?? ""} ${found[0]?.fix ?? ""}`).toContain(says);
    if (fix !== undefined) expect(found[0]?.fix).toContain(fix);
  });
});

describe("the corpus", () => {
  it("holds at least 150 documents under names of their own", () => {
    const names = corpus.flatMap(({ specs }) => specs.map(({ name }) => name));

    expect(names.length).toBeGreaterThanOrEqual(150);
    expect(new Set(names).size).toBe(names.length);
  });

  it("shows no secret in what it says of one", () => {
    const secrets = corpus.flatMap(({ specs }) => specs).filter(({ code }) => code === "SECRET_IN_SPEC");
    for (const { path = dagPath, text: source } of secrets) {
      const { text } = marked(source);
      const said = judge(path, text).map(({ message, fix }) => `${message} ${fix}`);

      expect(secrets.length).toBeGreaterThan(5);
      expect(said.join("\n")).not.toMatch(/hunter2|AKIA|ghp_|eyJ|xoxb|AGE-SECRET|BEGIN|q7Rk2/);
    }
  });
});
