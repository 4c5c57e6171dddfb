import { hexOf } from "../../base/index.ts";
import type { TrustCommit } from "../history/trust-commit.ts";
import { parseSshsig } from "../signature/sshsig.ts";
import { type AllowedSigner, namesOf } from "../signers/allowed-signers.ts";
import { matchesPatternList } from "../signers/pattern-list.ts";

/** Somebody behind one or several lines of a signers file. */
export interface Person {
  /** Every plain name and key of the lines, compared as a whole: `n:ana@acme.example`, `k:<hex>`. */
  readonly marks: ReadonlySet<string>;
  /** Of lines that name nobody plainly: the patterns, in lower case. Whoever fits may be that person. */
  readonly patterns: readonly string[];
}

/**
 * Lines that share a name or a key are one person: whoever has two keys, or one key under two names, must not count
 * twice.
 */
export function peopleOf(signers: readonly AllowedSigner[]): ReadonlyMap<AllowedSigner, Person> {
  const byMark = new Map<string, Set<string>>();
  for (const signer of signers) {
    const marks = marksOf(signer);
    const joined = new Set([...marks, ...marks.flatMap((mark) => [...(byMark.get(mark) ?? [])])]);
    for (const mark of joined) byMark.set(mark, joined);
  }
  const people = new Map<ReadonlySet<string>, Person>();
  const personOf = (marks: ReadonlySet<string>): Person => {
    const person = people.get(marks) ?? { marks, patterns: patternsOf(marks) };
    people.set(marks, person);
    return person;
  };
  return new Map(signers.map((signer) => [signer, personOf(byMark.get(marksOf(signer)[0] ?? "") ?? new Set())]));
}

const marksOf = (signer: AllowedSigner): readonly string[] => [keyMark(signer.blob), ...namesOf(signer).map(nameMark)];

const keyMark = (blob: Uint8Array): string => `k:${hexOf(blob)}`;
const nameMark = (name: string): string => `n:${name.toLowerCase()}`;

/** Everybody who wrote, committed or signed one of these commits, by name and by key, verified or not. */
export function authorMarks(commits: readonly TrustCommit[]): ReadonlySet<string> {
  return new Set(
    commits.flatMap(({ author, committer, signature }) => {
      const names = [author, committer].flatMap(({ name, email }) => [nameMark(name), nameMark(email)]);
      const sshsig = signature === null ? null : parseSshsig(signature);
      return sshsig?.ok === true ? [...names, keyMark(sshsig.value.blob)] : names;
    }),
  );
}

export const isAmong = ({ marks, patterns }: Person, others: ReadonlySet<string>): boolean =>
  [...marks].some((mark) => others.has(mark)) ||
  patterns.some((list) => [...others].some((mark) => mark.startsWith("n:") && matchesPatternList(mark.slice(2), list)));

const patternsOf = (marks: ReadonlySet<string>): readonly string[] =>
  [...marks].flatMap((mark) => (mark.startsWith("n:") && /[*?!]/.test(mark) ? [mark.slice(2)] : []));
