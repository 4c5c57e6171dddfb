import { cpSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { type CodeName, codeExamples, codes } from "../../../src/base/index.ts";
import { scratchDir } from "../../support/git-fixtures.ts";
import { orrery } from "./cli-fixture.ts";

const examples = Object.entries(codeExamples) as readonly (readonly [CodeName, string])[];

const pairs = examples.flatMap(([code, text]) => {
  const parts = /^wrong\n([\s\S]*)\nright\n([\s\S]*)$/u.exec(text);
  return parts === null ? [] : [{ code, wrong: parts[1] ?? "", right: parts[2] ?? "" }];
});

const fileOf = (code: CodeName, side: "wrong" | "right"): string =>
  `tenants/acme/dags/${side}-${codes[code].number.toLowerCase()}.yaml`;

interface Finding {
  readonly path: string;
  readonly code: string;
}

describe("the examples of `orrery explain`", () => {
  const findings: Finding[] = [];
  beforeAll(async () => {
    using dir = scratchDir();
    cpSync("specs-example", dir.path, { recursive: true });
    for (const { code, wrong, right } of pairs) {
      writeFileSync(dir.join(fileOf(code, "wrong")), `${wrong}\n`);
      writeFileSync(dir.join(fileOf(code, "right")), `${right}\n`);
    }
    const { out } = await orrery("lint", dir.path, "-o", "json");
    findings.push(...(JSON.parse(out) as { readonly findings: readonly Finding[] }).findings);
  });

  const found = (path: string): readonly string[] =>
    [...new Set(findings.filter((finding) => finding.path === path).map(({ code }) => code))].sort();

  it.each(pairs)("$code: the wrong lines are refused with it, the right ones with nothing", ({ code }) => {
    expect(found(fileOf(code, "wrong"))).toContain(code);
    expect(found(fileOf(code, "right"))).toEqual([]);
  });

  it("are printed with cause and fix", async () => {
    const { out } = await orrery("explain", "DAG_CYCLE");

    expect(out).toContain("        b: { uses: core.log@1.0.0, with: { message: hello }, needs: a }");
  });

  it("every message says more than to correct it", () => {
    const poor = Object.entries(codes).filter(([, { fix }]) => fix.length < 12);

    expect(poor.map(([name]) => name)).toEqual([]);
  });
});
