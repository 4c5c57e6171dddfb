import { booleanOf, type GitConfig } from "./git-config.ts";

/** Refs that only this site writes: a pruning fetch whose pattern covers one of them deletes it. */
const ownRefs = ["refs/heads/audit/site", "refs/orrery/sites/site/audit"];

/** Names of the remotes whose fetch would prune our own refs. A mirror for pushing alone does us no harm. */
export function pruningRemotes(config: GitConfig): readonly string[] {
  const sections = new Set(config.filter(({ section }) => section.startsWith("remote.")).map(({ section }) => section));
  return [...sections].filter((section) => prunes(config, section) && coversOwnRefs(config, section)).map(remoteName);
}

const remoteName = (section: string): string => section.slice("remote.".length);

function prunes(config: GitConfig, section: string): boolean {
  if (booleanOf(config, section, "mirror") === true) return true;
  return booleanOf(config, section, "prune") ?? booleanOf(config, "fetch", "prune") ?? false;
}

function coversOwnRefs(config: GitConfig, section: string): boolean {
  const refspecs = config.filter((entry) => entry.section === section && entry.key === "fetch");
  return refspecs.some(({ value }) => ownRefs.some((ref) => destinationCovers(value ?? "", ref)));
}

function destinationCovers(refspec: string, ref: string): boolean {
  const [, destination] = refspec.replace(/^\+/u, "").split(":");
  const star = destination?.indexOf("*") ?? -1;
  if (destination === undefined || star < 0) return false;
  return ref.startsWith(destination.slice(0, star)) && ref.endsWith(destination.slice(star + 1));
}
