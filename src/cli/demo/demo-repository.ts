import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Fault } from "../../base/index.ts";
import { readEnvironment } from "../../config/index.ts";
import { createRepository } from "../../git/index.ts";
import { createPrivateKeyFile, readPrivateKey, type SigningKey } from "../../signer/index.ts";
import { publicKeyLine } from "../../trust/index.ts";
import { stockGit } from "../stock-git.ts";
import { packageRoot } from "../version.ts";
import { type DemoLayout, demoPerson, demoSite } from "./demo-layout.ts";
import { boardPort } from "./notice-board.ts";

export interface DemoRepository {
  /** False where it stood already. */
  readonly isNew: boolean;
  readonly files: number;
}

/**
 * Makes the bare spec repository from specs-example/ with a signed first commit, and the clone to play in. The work tree
 * is made first and renamed last, so that a start that was interrupted begins again.
 */
export async function makeDemoRepository(
  layout: DemoLayout,
  recorderKeyLine: string,
  port: number,
): Promise<DemoRepository> {
  if (existsSync(layout.repository)) return { isNew: false, files: 0 };
  const fresh = `${layout.repository}.new`;
  for (const leftover of [fresh, layout.work]) rmSync(leftover, { recursive: true, force: true });
  const key = personKey(layout.personKey);
  writeWorkTree(layout, { recorderKeyLine, personLine: publicKeyLine(key.blob), port });
  await createRepository(fresh, { bare: true, head: "refs/heads/main" });
  commitAll(layout);
  stockGit({ cwd: layout.work, args: ["push", "--quiet", fresh, "main"] });
  stockGit({ cwd: layout.work, args: ["remote", "add", "origin", layout.repository] });
  renameWhole(fresh, layout.repository);
  stockGit({ cwd: layout.work, args: ["fetch", "--quiet", "origin"] });
  stockGit({ cwd: layout.work, args: ["branch", "--quiet", "--set-upstream-to=origin/main"] });
  return {
    isNew: true,
    files: stockGit({ cwd: layout.work, args: ["ls-files"] })
      .trim()
      .split("\n").length,
  };
}

function renameWhole(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
  rmSync(from, { recursive: true });
}

function personKey(file: string): SigningKey {
  if (existsSync(file)) return readPrivateKey(file);
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  return createPrivateKeyFile(file, demoPerson);
}

interface Written {
  readonly recorderKeyLine: string;
  readonly personLine: string;
  readonly port: number;
}

function writeWorkTree({ work }: DemoLayout, { recorderKeyLine, personLine, port }: Written): void {
  cpSync(path.join(packageRoot(), "specs-example"), work, { recursive: true });
  write(work, "keys/spec_signers", `${demoPerson} namespaces="git" ${personLine}\n`);
  write(work, `sites/${demoSite}.yaml`, siteText(recorderKeyLine));
  write(work, "tenants/acme/files/sbom/orrery.cdx.json", ownSbom());
  if (port !== boardPort) replacePort(work, port);
}

function siteText(recorderKeyLine: string): string {
  return `apiVersion: orrery/v1\nkind: Site\nspec:\n  tenants: ["*"]\n  audit:\n    keys:\n      - { key: "${recorderKeyLine}", from: 1 }\n`;
}

/** Another port than the example's: the specs that name it are written for the one that is free. */
function replacePort(work: string, port: number): void {
  for (const file of filesBelow(path.join(work, "tenants"))) {
    if (!file.endsWith(".yaml")) continue;
    const text = readFileSync(file, "utf8");
    const replaced = text.replaceAll(String(boardPort), String(port));
    if (replaced !== text) writeFileSync(file, replaced);
  }
}

function filesBelow(dir: string): readonly string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .map((name) => path.join(dir, name))
    .filter((file) => statSync(file).isFile());
}

/** CycloneDX of this project's own dependencies by `npm sbom`; what npm draws anew each time is left out. */
function ownSbom(): string {
  const { path: searchPath, home } = readEnvironment();
  const args = [
    "sbom",
    "--sbom-format=cyclonedx",
    "--sbom-type=application",
    "--omit=dev",
    "--package-lock-only",
    "--offline",
  ];
  const result = spawnSync("npm", args, {
    cwd: packageRoot(),
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    env: { PATH: searchPath, HOME: home ?? packageRoot(), LC_ALL: "C" },
  });
  if (result.status !== 0)
    throw new Fault("TOOL_MISSING", `npm sbom failed: ${result.stderr || (result.error?.message ?? "")}`);
  const { serialNumber, ...sbom } = JSON.parse(result.stdout) as {
    serialNumber?: string;
    metadata: { timestamp?: string; component: { name: string } };
  };
  const { timestamp, ...metadata } = sbom.metadata;
  return `${JSON.stringify({ ...sbom, metadata: { ...metadata, component: { ...metadata.component, name: "orrery" } } }, null, 2)}\n`;
}

function commitAll({ work, personKey: key }: DemoLayout): void {
  const git = (...args: string[]): string => stockGit({ cwd: work, args });
  git("init", "--quiet", "--initial-branch=main");
  const settings: readonly (readonly [string, string])[] = [
    ["user.name", "Demo Developer"],
    ["user.email", demoPerson],
    ["gpg.format", "ssh"],
    ["user.signingkey", key],
    ["commit.gpgsign", "true"],
    ["gpg.ssh.allowedSignersFile", "keys/spec_signers"],
  ];
  for (const [name, value] of settings) git("config", name, value);
  git("add", "--all");
  git("commit", "--quiet", "--message", "Start from the example repository");
}

function write(work: string, file: string, text: string): void {
  const full = path.join(work, file);
  mkdirSync(path.dirname(full), { recursive: true });
  writeFileSync(full, text);
}
