import { type CodeName, codes } from "../../base/index.ts";
import { printable } from "../../plan/index.ts";
import { versionText } from "../version.ts";
import { type PlacedFinding, ruleText } from "./lint-view.ts";

const levels = { error: "error", denied: "error", warning: "warning" } as const;

/** Findings as one SARIF 2.1.0 run (OASIS, sarif-schema-2.1.0): places relative to the root of the repository. */
export function renderSarif(findings: readonly PlacedFinding[]): string {
  const names = [...new Set(findings.map(({ code }) => code))].sort((a, b) =>
    codes[a].number < codes[b].number ? -1 : 1,
  );
  const run = {
    tool: { driver: { name: "Orrery", semanticVersion: versionText(), rules: names.map(ruleOf) } },
    columnKind: "utf16CodeUnits",
    originalUriBaseIds: { SRCROOT: { description: { text: "the root of the spec repository" } } },
    results: findings.map((finding) => resultOf(finding, names.indexOf(finding.code))),
  };
  return JSON.stringify({
    $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [run],
  });
}

function ruleOf(name: CodeName): object {
  const { number, title, cause, fix } = codes[name];
  return {
    ...{ id: number, name },
    shortDescription: { text: title },
    fullDescription: { text: cause },
    help: { text: `${fix} See orrery explain ${number}.` },
  };
}

function resultOf(finding: PlacedFinding, ruleIndex: number): object {
  const { code, severity, path, line, col, pointer, message, fix, rule } = finding;
  return {
    ruleId: codes[code].number,
    ruleIndex,
    level: levels[severity],
    message: { text: printable(`${message}. ${fix}`) },
    locations: [location(path, line, col)],
    ...(rule === null ? {} : { relatedLocations: [relatedLocation(finding)] }),
    // A line that moves keeps its finding: the pointer into the document says what it is about.
    partialFingerprints: { "orreryFinding/v1": `${code} ${path} ${pointer}` },
    properties: { severity, pointer },
  };
}

const location = (path: string, line: number, col: number) => ({
  physicalLocation: {
    artifactLocation: { uri: path.split("/").map(encodeURIComponent).join("/"), uriBaseId: "SRCROOT" },
    ...(line === 0 ? {} : { region: { startLine: line, startColumn: Math.max(1, col) } }),
  },
});

function relatedLocation(finding: PlacedFinding): object {
  const { path = "", line = 0, col = 0 } = finding.rule ?? {};
  return { id: 0, ...location(path, line, col), message: { text: `The rule: ${printable(ruleText(finding))}` } };
}
