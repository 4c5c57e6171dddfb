import { codes } from "../../base/index.ts";
import { printable } from "../../plan/index.ts";
import { type PlacedFinding, ruleText } from "./lint-view.ts";

const kinds = { error: "error", denied: "error", warning: "warning" } as const;

/** One workflow command of GitHub Actions a finding: it stands as an annotation at its line of the pull request. */
export function githubCommand(finding: PlacedFinding): string {
  const { severity, path, line, col, code, message, fix, rule } = finding;
  const place = line === 0 ? {} : { line: String(line), col: String(Math.max(1, col)) };
  const properties = { file: path, ...place, title: `${codes[code].number} ${code}` };
  const written = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(value)}`);
  const lines = [message, `fix: ${fix}`, ...(rule === null ? [] : [`rule: ${ruleText(finding)}`])];
  return `::${kinds[severity]} ${written.join(",")}::${escapeData(lines.map(printable).join("\n"))}`;
}

/** What would end the command, or begin another one, is written as GitHub's toolkit writes it. */
const escapeData = (text: string): string =>
  text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

const escapeProperty = (text: string): string => escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
