import type { TrustCommit } from "../history/trust-commit.ts";

/** Addresses with which forges commit what their buttons make. */
const forgeCommitter = /(^|[@.])noreply\b|\bno-?reply@/i;

/** What to do about an unsigned commit that a forge's button made, or nothing. */
export function unsignedMessage({ parents, committer }: TrustCommit): string {
  const isMerge = parents.length > 1;
  const byForge =
    forgeCommitter.test(committer.email) || /^(GitHub|GitLab|Gitea|Forgejo|Bitbucket)\b/i.test(committer.name);
  if (!isMerge && !byForge) return "";
  const what = isMerge ? "a merge" : "a squash or rebase";
  return (
    `: ${what} by a forge's button has no SSH signature of a person. Merge on your machine with git merge --no-ff -S, ` +
    "or name the forge's SSH signing key under spec.trust.forges of orrery.yaml and in keys/spec_signers"
  );
}
