import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { Document, isMap, parseDocument } from "yaml";
import { Fault, systemClock } from "../../base/index.ts";
import { configFileOf, dataDirOf, isAlive, loadConfig, readDaemonFile, readEnvironment } from "../../config/index.ts";
import { ensureRecorderKey, recorderKeyFileOf } from "../../daemon/index.ts";
import { createRepository } from "../../git/index.ts";
import { ageKeyFileOf, ensureSiteIdentity } from "../../secret/index.ts";
import { nodeTrustCrypto, readPrivateKey } from "../../signer/index.ts";
import { isId } from "../../spec/index.ts";
import { fingerprintOf } from "../../trust/index.ts";
import { makeFirstCommit } from "../init/first-revision.ts";
import { type Made, renderMade } from "../init/init-view.ts";
import { findPerson } from "../person/person.ts";
import { findPersonKey } from "../person/person-key.ts";
import type { CliContext } from "../program.ts";
import { usage } from "../terminal.ts";

interface InitOptions {
  readonly site: string;
  readonly data?: string;
  readonly key?: string;
}

/** `orrery init DIR`: a spec repository and a data directory that fit each other. */
export function addInitCommand(program: Command, { terminal }: CliContext): void {
  program
    .command("init")
    .argument("<dir>", "where the bare spec repository is made; must not exist, or be empty")
    .description("make a spec repository, and the recorder's key in the data directory")
    .option("--site <name>", "name of this site", "local")
    .option("--data <dir>", "data directory (default: /var/lib/orrery as root, else $XDG_STATE_HOME/orrery)")
    .option("--key <file>", "your ed25519 key, which signs the first commit (default: the first one of ssh-agent)")
    .action(async (dir: string, options: InitOptions) => {
      for (const line of renderMade(await init(dir, options))) terminal.print(line);
    });
}

async function init(dir: string, options: InitOptions): Promise<Made> {
  const { site } = options;
  if (!isId(site)) throw usage(`--site ${site}: lower-case letters, digits and inner hyphens`);
  const environment = readEnvironment();
  const repository = path.resolve(dir);
  const dataDir = findDataDir(options);
  checkTarget(repository, dataDir);
  const personKey = await findPersonKey(options.key, environment.sshAuthSock);
  const person = findPerson(personKey, process.cwd());
  const specRef = checkDataDir(dataDir, site, repository);
  // 0755 as the daemon makes it: the database's user must pass. What is secret lies in closed directories below.
  mkdirSync(dataDir, { recursive: true, mode: 0o755 });
  ensureRecorderKey(dataDir, site);
  await ensureSiteIdentity(ageKeyFileOf(dataDir));
  const recorder = readPrivateKey(recorderKeyFileOf(dataDir));
  const first = await makeFirstCommit({
    ...{ site, person, personKey },
    recorderBlob: recorder.blob,
    now: systemClock.now(),
  });
  // The repository last, since it appears whole: an init that was interrupted can be run again.
  writeConfig(dataDir, site, repository);
  await createRepository(repository, { bare: true, head: specRef, first });
  const recorderFingerprint = fingerprintOf(recorder.blob, nodeTrustCrypto.sha256);
  return { site, repository, dataDir, specRef, commit: first.commit, person, personKey, recorderFingerprint };
}

/** Never the demo's `./.orrery` unasked: an installation stays where the daemon looks for one. */
function findDataDir({ data }: InitOptions): string {
  const environment = readEnvironment();
  const named = data ?? environment.settings["ORRERY_DATA"];
  const source = { flags: {}, environment, cwd: process.cwd(), isRoot: process.getuid?.() === 0 };
  return dataDirOf(named === undefined ? {} : { data: named }, source);
}

function checkTarget(repository: string, dataDir: string): void {
  const stat = lstatSync(repository, { throwIfNoEntry: false });
  if (stat !== undefined && (!stat.isDirectory() || readdirSync(repository).length > 0))
    throw new Fault("INIT_TARGET", `${repository} is not empty`);
  const fromTarget = path.relative(repository, dataDir);
  if (!fromTarget.startsWith("..")) throw usage(`the data directory ${dataDir} must not lie in the repository`);
}

/** One data directory serves one site and one repository. Answers the spec ref that it is configured for. */
function checkDataDir(dataDir: string, site: string, repository: string): string {
  const daemon = readDaemonFile(dataDir);
  if (daemon !== null && isAlive(daemon.pid))
    throw new Fault("DATA_DIR_BUSY", `${dataDir} is in use by the daemon with pid ${daemon.pid}`);
  const key = recorderKeyFileOf(dataDir);
  const owner = existsSync(key) ? readPrivateKey(key).comment : `audit@${site}`;
  if (owner !== `audit@${site}`) throw otherSite(dataDir, `holds the recorder's key of ${owner}`);
  // Only the file: this environment is not what the daemon will be started with.
  const source = {
    flags: { data: dataDir, repository },
    environment: { ...readEnvironment(), settings: {} },
    cwd: process.cwd(),
    isRoot: process.getuid?.() === 0,
  };
  const config = loadConfig(source);
  if (!existsSync(configFileOf(dataDir))) return config.specRef;
  if (config.site !== site) throw otherSite(dataDir, `serves site ${config.site}`);
  const named: unknown = parseDocument(readFileSync(configFileOf(dataDir), "utf8")).get("repository");
  if (typeof named === "string" && path.resolve(named) !== repository)
    throw otherSite(dataDir, `serves the repository ${named}`);
  return config.specRef;
}

const otherSite = (dataDir: string, what: string): Fault => new Fault("DATA_DIR_SITE", `${dataDir} ${what}`);

/** Sets the two keys and leaves all else, comments too, as the operator wrote it. */
function writeConfig(dataDir: string, site: string, repository: string): void {
  const file = configFileOf(dataDir);
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const read = parseDocument(text);
  const document = isMap(read.contents) ? read : new Document({});
  document.setIn(["site", "name"], site);
  document.set("repository", repository);
  writeFileSync(`${file}.new`, document.toString(), { mode: 0o644, flush: true });
  renameSync(`${file}.new`, file);
}
