import { type Refusal, refused } from "../authority/refusal.ts";
import { shortOid, type TrustCommit } from "../history/trust-commit.ts";

/** Committer times may run backwards or ahead of the clock by this much. */
const clockSlackSeconds = 300;

/** `parent`: null where the time before it says nothing. Null = the commit's time may stand. */
export function judgeTime(commit: TrustCommit, parent: TrustCommit | null, now: Date): Refusal | null {
  const { seconds } = commit.committer;
  const name = `commit ${shortOid(commit.oid)}`;
  if (parent !== null && seconds < parent.committer.seconds - clockSlackSeconds) {
    return refused("TRUST_CLOCK", `${name} was made ${parent.committer.seconds - seconds} s before its parent`);
  }
  const aheadSeconds = seconds - Math.floor(now.getTime() / 1000);
  return aheadSeconds > clockSlackSeconds
    ? refused("TRUST_CLOCK", `${name} was made ${aheadSeconds} s ahead of this clock`)
    : null;
}
