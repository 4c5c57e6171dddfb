import type { Oid } from "../../git/index.ts";
import type { Finding } from "../../spec/index.ts";
import { type GroundsFinding, groundsFindings, readGrounds } from "../../trust/index.ts";
import type { SpecSource } from "../desired-reader.ts";
import { groundsReader } from "../grounds-reader.ts";

/** What is wrong between orrery.yaml and keys/spec_signers: each alone may be right. `now`: whose keys are over. */
export function trustFindings(source: SpecSource, revision: Oid, now: Date): readonly Finding[] {
  const { tree } = source.readCommit(revision);
  const grounds = readGrounds(groundsReader(source), tree);
  // Without either file, or with a broken one, other findings say all there is to say.
  if (grounds.signersText === null || grounds.policyDefect !== null || grounds.allowed.findings.length > 0) return [];
  return groundsFindings(grounds, Math.floor(now.getTime() / 1000)).map(asFinding);
}

function asFinding({ code, severity, place, line, message, fix }: GroundsFinding): Finding {
  const path = place === "rules" ? "orrery.yaml" : "keys/spec_signers";
  return { code, severity, path, line, col: Math.min(line, 1), pointer: "", message, fix };
}
