import type { Oid } from "../../git/index.ts";
import { decodeDocument, type Finding, type Place, type Positions, positionOf } from "../../spec/index.ts";
import { type GroundsFinding, groundsFindings, readGrounds } from "../../trust/index.ts";
import type { SpecSource } from "../read/desired-reader.ts";
import { groundsReader } from "../read/grounds-reader.ts";

const rulesPath = "orrery.yaml";
const signersPath = "keys/spec_signers";

/** What is wrong between orrery.yaml and keys/spec_signers: each alone may be right. `now`: whose keys are over. */
export function trustFindings(source: SpecSource, revision: Oid, now: Date): readonly Finding[] {
  const { tree } = source.readCommit(revision);
  const grounds = readGrounds(groundsReader(source), tree);
  // Without either file, or with a broken one, other findings say all there is to say.
  if (grounds.signersText === null || grounds.policyDefect !== null || grounds.allowed.findings.length > 0) return [];
  const found = groundsFindings(grounds, Math.floor(now.getTime() / 1000));
  const rules = found.length === 0 ? null : readRules(source, tree);
  return found.map((finding) => asFinding(finding, rules));
}

interface RulesFile {
  readonly lines: readonly string[];
  readonly positions: Positions;
}

function readRules(source: SpecSource, tree: Oid): RulesFile | null {
  const entry = source.entryAt(tree, rulesPath);
  if (entry?.kind !== "blob" || entry.defect !== null) return null;
  const bytes = source.readBlob(entry.oid);
  const decoded = decodeDocument({ path: rulesPath, bytes });
  return decoded.ok ? { lines: bytes.toString("utf8").split("\n"), positions: decoded.document.positions } : null;
}

function asFinding({ code, severity, at, message, fix }: GroundsFinding, rules: RulesFile | null): Finding {
  const said = { code, severity, message, fix };
  if ("line" in at) return { ...said, path: signersPath, pointer: "", ...at };
  const { pointer, word } = at;
  return {
    ...said,
    path: rulesPath,
    pointer,
    ...(rules === null ? { line: 0, col: 0 } : placeOf(rules, pointer, word)),
  };
}

/** A set has lost the order of the file: its member is looked for from where the set begins. */
function placeOf({ lines, positions }: RulesFile, pointer: string, word: string | undefined): Place {
  const { line, col } = positionOf(positions, pointer);
  if (word === undefined) return { line, col };
  for (let at = line; at >= 1 && at <= lines.length; at += 1) {
    const found = (lines[at - 1] ?? "").indexOf(word, at === line ? col - 1 : 0);
    if (found >= 0) return { line: at, col: found + 1 };
  }
  return { line, col };
}
