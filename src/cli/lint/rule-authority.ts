import { decodeDocument, effectiveRepository, pathMatcher, type TrustSpec } from "../../spec/index.ts";
import { parseAllowedSigners } from "../../trust/index.ts";
import type { SpecPlace } from "../place/spec-place.ts";

/** Who may change a file, as the tree that is checked says. */
export interface RuleAuthority {
  /** Principals whose signature counts for it; empty = nobody's. */
  readonly changedBy: readonly string[];
  /** How many others of them must approve. */
  readonly approvals: number;
}

/** Reads orrery.yaml and keys/spec_signers once; answers for any path of the repository. */
export function ruleAuthority(place: SpecPlace): (path: string) => RuleAuthority {
  const { tree } = place.source.readCommit(place.revision);
  const read = (path: string): Buffer | null => {
    const entry = place.source.entryAt(tree, path);
    return entry?.kind === "blob" && entry.defect === null ? place.source.readBlob(entry.oid) : null;
  };
  const trust = trustOf(read("orrery.yaml"));
  const { signers } = parseAllowedSigners(read("keys/spec_signers")?.toString("utf8") ?? "");
  const people = [...new Set(signers.map(({ principal }) => principal))].sort();
  if (trust === null) return () => ({ changedBy: [], approvals: 0 });
  const everyone = people.filter((principal) => !trust.forges.includes(principal));
  const rules = trust.paths?.map((rule) => ({ ...rule, matches: pathMatcher(rule.match) })) ?? null;
  return (path) => {
    if (rules === null) return { changedBy: everyone, approvals: 0 };
    const rule = rules.find(({ matches }) => matches(path));
    if (rule === undefined) return { changedBy: [], approvals: 0 };
    const { by, approvals } = rule;
    const members = Object.hasOwn(trust.groups, by) ? (trust.groups[by] ?? []) : [];
    return { changedBy: by === "everyone" ? everyone : everyone.filter((name) => members.includes(name)), approvals };
  };
}

/** Null where orrery.yaml is there and does not decode: then nobody may change anything. */
function trustOf(bytes: Buffer | null): TrustSpec | null {
  if (bytes === null) return effectiveRepository(null).trust;
  const decoded = decodeDocument({ path: "orrery.yaml", bytes });
  return decoded.ok && decoded.document.kind === "Repository" ? decoded.document.spec.trust : null;
}
