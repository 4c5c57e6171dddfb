import { dirname, join } from "node:path";
import { encodeIdent, type Ident } from "../format/ident.ts";
import type { Oid } from "../format/object.ts";
import { booleanOf, settingOf } from "../read/git-config.ts";
import { errnoOf } from "../read/regular-file.ts";
import { makeDirectories, type WriteSite } from "./write-site.ts";

export interface RefChange {
  readonly ref: string;
  readonly expected: Oid | null;
  readonly next: Oid;
  /** One line for the reflog. */
  readonly message: string;
  readonly ident: Ident;
}

const noOid = "0".repeat(40);
/** What a leftover of a deleted ref gives; git then goes without a log, too. */
const blocked = new Set(["ENOTDIR", "EISDIR"]);

/** Appends to the ref's reflog where stock git would. It is for people: never read back, so never synced. */
export async function appendReflog(site: WriteSite, change: RefChange): Promise<void> {
  const root = site.repository.commonDir;
  const path = join(root, "logs", change.ref);
  if (!wantsReflog(site, change.ref) && (await site.fs.facts(path)) === null) return;
  const text = change.message.replace(/\s+/gu, " ").trim();
  const line = `${change.expected ?? noOid} ${change.next} ${encodeIdent(change.ident)}${text === "" ? "" : `\t${text}`}\n`;
  try {
    await makeDirectories(site, root, ["logs", ...dirname(change.ref).split("/")]);
    await site.fs.append(path, Buffer.from(line));
    await site.ownership.adopt(path, "file");
  } catch (error) {
    if (!blocked.has(errnoOf(error) ?? "")) throw error;
  }
}

/** `core.logAllRefUpdates`: unset means on for branches, notes and remotes of a repository that is not bare. */
function wantsReflog({ config, repository }: WriteSite, ref: string): boolean {
  if (settingOf(config, "core", "logallrefupdates")?.toLowerCase() === "always") return true;
  const enabled = booleanOf(config, "core", "logallrefupdates") ?? !repository.bare;
  return enabled && /^refs\/(?:heads|remotes|notes)\//u.test(ref);
}
