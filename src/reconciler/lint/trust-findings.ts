import type { Oid } from "../../git/index.ts";
import { decodeDocument, type Finding, type Positions, positionOf } from "../../spec/index.ts";
import { type GroundsFinding, groundsFindings, readGrounds } from "../../trust/index.ts";
import type { SpecSource } from "../desired-reader.ts";
import { groundsReader } from "../grounds-reader.ts";

const rulesPath = "orrery.yaml";
const signersPath = "keys/spec_signers";

/** What is wrong between orrery.yaml and keys/spec_signers: each alone may be right. `now`: whose keys are over. */
export function trustFindings(source: SpecSource, revision: Oid, now: Date): readonly Finding[] {
  const { tree } = source.readCommit(revision);
  const grounds = readGrounds(groundsReader(source), tree);
  // Without either file, or with a broken one, other findings say all there is to say.
  if (grounds.signersText === null || grounds.policyDefect !== null || grounds.allowed.findings.length > 0) return [];
  const found = groundsFindings(grounds, Math.floor(now.getTime() / 1000));
  const positions = found.length === 0 ? null : rulePositions(source, tree);
  return found.map((finding) => asFinding(finding, positions));
}

function rulePositions(source: SpecSource, tree: Oid): Positions | null {
  const entry = source.entryAt(tree, rulesPath);
  if (entry?.kind !== "blob" || entry.defect !== null) return null;
  const decoded = decodeDocument({ path: rulesPath, bytes: source.readBlob(entry.oid) });
  return decoded.ok ? decoded.document.positions : null;
}

function asFinding({ code, severity, at, message, fix }: GroundsFinding, positions: Positions | null): Finding {
  const said = { code, severity, message, fix };
  if (typeof at !== "string") return { ...said, path: signersPath, pointer: "", ...at };
  const place = positions === null ? { line: 0, col: 0 } : positionOf(positions, at);
  return { ...said, path: rulesPath, pointer: at, ...place };
}
