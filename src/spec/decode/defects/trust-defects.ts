import type { components } from "../../generated/documents.ts";
import { expandBraces } from "../../value/path-match.ts";
import type { DocumentDefect } from "./document-defects.ts";

type Repository = components["schemas"]["Repository"]["spec"];

/** Every key of keys/spec_signers; no group may be called so. */
const everyone = "everyone";

/** What is wrong with `trust` that its schema cannot say. The document has passed its schema. */
export function trustDefects({ trust }: Repository): readonly DocumentDefect[] {
  const groups = trust?.groups ?? {};
  const reserved: readonly DocumentDefect[] = Object.hasOwn(groups, everyone)
    ? [
        wrong(
          "/spec/trust/groups/everyone",
          "`everyone` is every key of keys/spec_signers",
          "Call the group otherwise.",
        ),
      ]
    : [];
  const rules = (trust?.paths ?? []).flatMap(({ match, by }, index): readonly DocumentDefect[] => {
    const pointer = `/spec/trust/paths/${String(index)}`;
    const unfit = matchDefect(match);
    return [
      ...(unfit === null
        ? []
        : [wrong(`${pointer}/match`, `\`${match}\`: ${unfit}`, "Write it as docs/security.md shows.")]),
      ...(by === everyone || Object.hasOwn(groups, by)
        ? []
        : [wrong(`${pointer}/by`, `\`groups\` has no ${by}`, "Add the group, or name one that is there.")]),
    ];
  });
  return [...reserved, ...rules];
}

function wrong(pointer: string, message: string, fix: string): DocumentDefect {
  return { code: "TRUST_RULE", pointer, what: pointer.endsWith("/everyone") ? "key" : "value", message, fix };
}

function matchDefect(match: string): string | null {
  const globs = expandBraces(match);
  if (typeof globs === "string") return globs;
  const segments = globs.flatMap((glob) => glob.split("/"));
  if (segments.includes("")) return "a path begins and ends without a slash and has no empty segment";
  if (segments.some((segment) => segment === "." || segment === "..")) return "`.` and `..` are no segments";
  // A path that such a rule was meant for would fall to the next one, which may be everyone's.
  if (/[[\]\\]|^!/.test(match))
    return "`[`, `]`, `\\` and a leading `!` mean nothing here, though they do in other globs";
  return segments.some((segment) => segment !== "**" && segment.includes("**")) ? "`**` must be a whole segment" : null;
}
