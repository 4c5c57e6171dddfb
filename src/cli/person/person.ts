import { spawnSync } from "node:child_process";
import { readEnvironment } from "../../config/index.ts";
import { usage } from "../terminal.ts";
import type { PersonKey } from "./person-key.ts";

/** Who signs: the principal stands in keys/spec_signers and as the e-mail of the commit. */
export interface Person {
  readonly name: string;
  readonly principal: string;
}

/** git's user.email, else the key's comment. USAGE where neither can stand in a signers file. */
export function findPerson(key: PersonKey, cwd: string): Person {
  const email = gitSetting("user.email", cwd);
  const principal = [email, key.comment].find((text): text is string => text !== null && isPrincipal(text));
  if (principal === undefined) {
    throw usage("who signs? git has no usable user.email, nor has the key a comment: git config --global user.email …");
  }
  const name = (gitSetting("user.name", cwd) ?? "").replaceAll(/[<>\p{Cc}]/gu, " ").trim();
  return { name: name === "" ? principal : name, principal };
}

/** A plain name of an allowed_signers line: no pattern, no list, nothing that ends the word. */
const isPrincipal = (text: string): boolean => /^[^\s"'#,*?!<>=\p{Cc}]{1,200}$/u.test(text);

/** As git itself finds it from here; null where it is not set or git is missing. */
export function gitSetting(name: string, cwd: string): string | null {
  const { path, home } = readEnvironment();
  const result = spawnSync("git", ["config", "--get", name], {
    cwd,
    encoding: "utf8",
    env: { PATH: path, LC_ALL: "C", ...(home === null ? {} : { HOME: home }) },
  });
  const value = result.status === 0 ? result.stdout.trim() : "";
  return value === "" ? null : value;
}
