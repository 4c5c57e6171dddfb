import { updateHook } from "../../git/index.ts";
import { shellWord } from "../place/shell-word.ts";

export const hookNames = ["pre-commit", "update"] as const;
export type HookName = (typeof hookNames)[number];

const markOf = (name: HookName): string => `# orrery hook ${name}`;

/** Whether a hook's text is one that `hookScript` made, of this or another version, or the one of a new repository. */
export const isOurs = (text: string, name: HookName): boolean =>
  text.split("\n")[1]?.startsWith(markOf(name)) === true || (name === "update" && text === updateHook);

interface HookScript {
  readonly name: HookName;
  /** The one ref whose pushes are looked at; for `update`. */
  readonly ref: string;
  /** Words that start orrery; the first and the last are files. */
  readonly command: readonly string[];
}

// What a new repository refuses stays refused.
const guard = updateHook.split("\n").slice(2, -1);

/** The text of a hook. Without the program that it calls it refuses: a check that is gone must not look like one that passed. */
export function hookScript({ name, ref, command }: HookScript): string {
  const files = [command.at(0), command.at(-1)].map((word) => `[ -f ${shellWord(word ?? "")} ]`);
  return [
    "#!/bin/sh",
    `${markOf(name)}: written by orrery hook install, which may write it again`,
    ...(name === "update" ? [...guard, `[ "$1" = ${shellWord(ref)} ] || exit 0`] : []),
    `if ! { ${files.join(" && ")}; }; then`,
    `  echo "orrery is no longer where this hook looks for it: run orrery hook install again" >&2`,
    "  exit 1",
    "fi",
    `exec ${command.map(shellWord).join(" ")} hook run ${name} "$@"`,
    "",
  ].join("\n");
}
