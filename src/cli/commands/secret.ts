import { existsSync } from "node:fs";
import type { Command } from "commander";
import { Fault } from "../../base/index.ts";
import { configFileOf, loadConfig, readEnvironment } from "../../config/index.ts";
import {
  ageKeyFileOf,
  createSecretSources,
  ensureSiteIdentity,
  isSecretName,
  readSiteIdentity,
  storeSecretFile,
} from "../../secret/index.ts";
import { isId } from "../../spec/index.ts";
import { withCompute } from "../one-compute.ts";
import { openSpecPlace } from "../place/spec-place.ts";
import { dataDirFor, type OutputFormat, outputOption } from "../place/target.ts";
import type { CliContext } from "../program.ts";
import { writeAgeFile } from "../secret/age-target.ts";
import { type SecretRow, secretRows } from "../secret/secret-rows.ts";
import { readSecretValue } from "../secret/value-input.ts";
import { renderTable, type Terminal, usage } from "../terminal.ts";

interface PlaceOptions {
  readonly data?: string;
  readonly repo?: string;
}

interface SetOptions extends PlaceOptions {
  readonly age?: boolean;
  readonly file?: boolean;
  readonly recipient?: readonly string[];
}

interface ListOptions extends PlaceOptions {
  readonly output: OutputFormat;
}

/** `orrery secret set|list|recipient`: values go in, and never come out again. */
export function addSecretCommand(program: Command, { terminal }: CliContext): void {
  const secret = program.command("secret").description("values that steps are lent: set, list; never shown");
  secret
    .command("set")
    .argument("<tenant/name>")
    .description("take a value from standard input, or typed unseen, and keep it")
    .option("--file", "in the data directory of this site (the default)")
    .option("--age", "as an age file in the work tree of the repository, for a commit")
    .option("--recipient <age1…>", "with --age: for whom; may be repeated (default: this site)", collected)
    .option("--data <dir>", "data directory of the daemon")
    .option("--repo <path>", "with --age: the work tree (default: here)")
    .addHelpText("after", setHelp)
    .exitOverride()
    .action(async (name: string, options: SetOptions) => {
      await setSecret(name, options, terminal);
    });
  secret
    .command("list")
    .argument("[tenant]")
    .description("names, where each value comes from, who is granted it and which steps use it")
    .option("--data <dir>", "data directory of the daemon")
    .option("--repo <path>", "repository or work tree (default: the one of the data directory, else here)")
    .addOption(outputOption())
    .exitOverride()
    .action(async (tenant: string | undefined, options: ListOptions) => {
      await listSecrets(tenant ?? null, options, terminal);
    });
  secret
    .command("recipient")
    .description("print the age recipient of this site; it is public")
    .option("--data <dir>", "data directory of the daemon")
    .exitOverride()
    .action(async (options: PlaceOptions) => {
      terminal.print((await ensureSiteIdentity(ageKeyFileOf(existingDataDir(options)))).recipient);
    });
}

const collected = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

const setHelp = `
The value is text of 8 to 16384 bytes; one line break at its end is not part of it. It is never taken from the arguments,
which other users of the machine can list: printf %s "$TOKEN" | orrery secret set acme/notify_token`;

async function setSecret(argument: string, options: SetOptions, terminal: Terminal): Promise<void> {
  const { tenant, name } = secretKey(argument);
  if (options.age === true && options.file === true) throw usage("give --file or --age, one of them");
  if (options.age !== true && (options.recipient ?? options.repo) !== undefined)
    throw usage("--recipient and --repo belong to --age");
  if (options.age === true) {
    const recipients = options.recipient ?? [await ownRecipient(options)];
    const value = await readSecretValue(process.stdin, terminal);
    const file = await writeAgeFile(options.repo ?? ".", { tenant, name, value, recipients });
    terminal.print(
      `${file} for ${recipients.length === 1 ? "one recipient" : `${recipients.length} recipients`}: commit it`,
    );
    return;
  }
  const dataDir = existingDataDir(options);
  const value = await readSecretValue(process.stdin, terminal);
  terminal.print(`${storeSecretFile(dataDir, { tenant, name }, value)}: counts from the next step on`);
}

function secretKey(argument: string): { readonly tenant: string; readonly name: string } {
  const [tenant = "", name = "", ...rest] = argument.split("/");
  // Not echoed: somebody may have put the value here.
  if (rest.length > 0 || !isId(tenant) || !isSecretName(name))
    throw usage("the argument is TENANT/NAME; a name is a lower-case letter, then letters, digits and underscores");
  return { tenant, name };
}

async function ownRecipient(options: PlaceOptions): Promise<string> {
  const identity = await readSiteIdentity(ageKeyFileOf(dataDirFor(options)));
  if (identity === null) throw usage("for whom? --recipient age1… (orrery secret recipient, on the site, prints it)");
  return identity.recipient;
}

/** A slip in --data must not make a directory that no daemon reads. */
function existingDataDir(options: PlaceOptions): string {
  const dataDir = dataDirFor(options);
  if (!existsSync(dataDir)) throw usage(`${dataDir} does not exist: orrery init makes a data directory`);
  return dataDir;
}

async function listSecrets(tenant: string | null, options: ListOptions, terminal: Terminal): Promise<void> {
  if (tenant !== null && !isId(tenant)) throw usage(`${tenant} is no tenant`);
  const dataDir = dataDirFor(options);
  const identity = async (): Promise<string | null> =>
    (await readSiteIdentity(ageKeyFileOf(dataDir)))?.identity ?? null;
  const { credentialsDir } = readEnvironment();
  const sources = createSecretSources({ dataDir, credentialsDir, identity });
  using place = openSpecPlace(options.repo ?? repositoryOf(dataDir), undefined);
  const rows = await withCompute((compute) => secretRows({ place, sources, compute, tenant }));
  if (options.output === "json") {
    terminal.print(JSON.stringify(rows));
    return;
  }
  if (rows.length === 0) terminal.print(`no secret is used, granted or kept in ${place.name}`);
  else terminal.print(renderTable(["tenant", "name", "source", "granted to", "used by"], rows.map(cellsOf)));
  if (rows.some(({ source }) => source === null))
    terminal.note("none: no file and no age file; what only the service manager gives is not seen from here");
}

function cellsOf({ tenant, name, source, defect, grantedTo, usedBy }: SecretRow): readonly string[] {
  const where = defect === null ? (source ?? "none") : `${source ?? ""} (unusable: ${defect})`;
  return [tenant, name, where, grantedTo.join(" ") || "nobody", usedBy.join(" ") || "no step"];
}

/** Of the installation, else where we stand. */
function repositoryOf(dataDir: string): string {
  if (!existsSync(configFileOf(dataDir))) return ".";
  try {
    const source = { environment: readEnvironment(), cwd: process.cwd(), isRoot: process.getuid?.() === 0 };
    return loadConfig({ flags: { data: dataDir }, ...source }).repository;
  } catch (error) {
    if (error instanceof Fault && error.code === "CONFIG_INVALID") return ".";
    throw error;
  }
}
