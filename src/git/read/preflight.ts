import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type CodeName, type Fault, faultOf } from "../../base/index.ts";
import { booleanOf, type GitConfig, readGitConfig, settingOf } from "./git-config.ts";
import { locateRepository, type RepositoryLocation } from "./location.ts";
import { pruningRemotes } from "./pruning-remote.ts";
import { readRegularFile } from "./regular-file.ts";

/** Why this repository is not read, and the command that helps. */
export interface PreflightFinding {
  readonly code: CodeName;
  readonly message: string;
  readonly fix: string;
}

/** `relativeworktrees` only changes how worktrees are linked; we resolve both forms. */
const harmlessExtensions = new Set(["noop", "noop-v1", "worktreeconfig", "preciousobjects", "relativeworktrees"]);
const newestFormat = 1;

/** Everything about the repository that keeps us from reading it truly, worst first; `[]` when it is fit. Never throws. */
export function preflight(path: string): readonly PreflightFinding[] {
  try {
    const location = locateRepository(path);
    if (location === null) return [notFound(path)];
    const config = readGitConfig(join(location.commonDir, "config"));
    return [
      ...formatFindings(path, config),
      ...historyFindings(path, location, config),
      ...pruningRemotes(config).map((remote) => mirrorFinding(path, remote)),
    ];
  } catch (error) {
    return [unreadableFinding(path, faultOf(error))];
  }
}

const quoted = (text: string): string =>
  /^[-\w./:@%+=,]+$/u.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

const unsupported = (message: string, fix: string): PreflightFinding => ({ code: "REPO_UNSUPPORTED", message, fix });

const notFound = (path: string): PreflightFinding => ({
  code: "REPO_NOT_FOUND",
  message: `no Git repository at ${path}`,
  fix: `orrery init ${quoted(path)}`,
});

const unreadableFinding = (path: string, fault: Fault): PreflightFinding => ({
  code: fault.code === "INTERNAL" ? "REPO_CORRUPT" : fault.code,
  message: `the repository at ${path} cannot be read: ${fault.message}`,
  fix: `git -C ${quoted(path)} fsck`,
});

function formatFindings(path: string, config: GitConfig): readonly PreflightFinding[] {
  const at = quoted(path);
  const findings: PreflightFinding[] = [];
  const objectFormat = settingOf(config, "extensions", "objectformat")?.toLowerCase() ?? "sha1";
  if (objectFormat !== "sha1") {
    const fix = `git init --bare ${at}.sha1 && git -C ${at} fast-export --all | git -C ${at}.sha1 fast-import`;
    findings.push(unsupported(`object format ${objectFormat} is not read, only sha1`, fix));
  }
  const refStorage = settingOf(config, "extensions", "refstorage")?.toLowerCase() ?? "files";
  if (refStorage !== "files") {
    const fix = `git -C ${at} refs migrate --ref-format=files   # git >= 2.46`;
    findings.push(unsupported(`ref storage ${refStorage} is not read, only files`, fix));
  }
  const version = Number(settingOf(config, "core", "repositoryformatversion") ?? 0);
  if (!Number.isInteger(version) || version < 0 || version > newestFormat) {
    findings.push(unsupported(`repository format ${String(version)} is newer than 1`, fullClone(at)));
  }
  return version === 0 ? findings : [...findings, ...extensionFindings(at, config)];
}

/** In format 0 git itself ignores unknown extensions; from 1 on it must refuse, and so do we. */
function extensionFindings(at: string, config: GitConfig): readonly PreflightFinding[] {
  const judged = new Set([...harmlessExtensions, "objectformat", "refstorage", "partialclone"]);
  return config
    .filter(({ section, key }) => section === "extensions" && !judged.has(key))
    .map(({ key }) => unsupported(`extension ${key} is not known`, fullClone(at)));
}

const fullClone = (at: string): string => `git clone --bare --no-local ${at} ${at}.full`;

function historyFindings(path: string, location: RepositoryLocation, config: GitConfig): readonly PreflightFinding[] {
  const at = quoted(path);
  const findings: PreflightFinding[] = [];
  if (isPartial(location, config)) {
    const fix = `git clone --bare "$(git -C ${at} remote get-url origin)" ${at}.full`;
    findings.push(unsupported("a partial clone lacks objects until git fetches them", fix));
  }
  const shallow = readRegularFile(join(location.commonDir, "shallow"), 1 << 26, "shallow");
  if (shallow !== null && shallow.length > 0) {
    findings.push(unsupported("a shallow clone lacks the history to verify", `git -C ${at} fetch --unshallow`));
  }
  return findings;
}

function isPartial({ commonDir }: RepositoryLocation, config: GitConfig): boolean {
  if (settingOf(config, "extensions", "partialclone") !== undefined) return true;
  const promisor = config.some(
    ({ section, key }) =>
      section.startsWith("remote.") && key === "promisor" && booleanOf(config, section, key) === true,
  );
  return promisor || packFiles(commonDir).some((name) => name.endsWith(".promisor"));
}

function packFiles(commonDir: string): readonly string[] {
  try {
    return readdirSync(join(commonDir, "objects", "pack"));
  } catch {
    return [];
  }
}

const mirrorFinding = (path: string, remote: string): PreflightFinding => ({
  code: "REPO_MIRROR",
  message: `a fetch from remote ${JSON.stringify(remote)} would prune the audit branch`,
  fix:
    `git -C ${quoted(path)} config --replace-all remote.${quoted(remote)}.fetch ` +
    `'+refs/heads/*:refs/remotes/${remote.replaceAll("'", "")}/*' && ` +
    `git -C ${quoted(path)} config --unset-all remote.${quoted(remote)}.mirror`,
});
