import type { Person } from "../person/person.ts";
import type { PersonKey } from "../person/person-key.ts";
import { shellWord } from "../place/shell-word.ts";
import { exampleTenant } from "./first-revision.ts";

/** What `init` made. */
export interface Made {
  readonly site: string;
  readonly repository: string;
  readonly dataDir: string;
  readonly specRef: string;
  readonly commit: string;
  readonly person: Person;
  readonly personKey: PersonKey;
  readonly recorderFingerprint: string;
}

/** What stands where, and the commands that come next, to be copied as they are. */
export function renderMade(made: Made): readonly string[] {
  const { site, repository, dataDir, specRef, person, personKey } = made;
  const clone = `${repository.replace(/\.git$/, "")}-work`;
  return [
    `Made the spec repository ${repository}`,
    `  ${specRef} at ${made.commit.slice(0, 12)}, signed by ${person.principal} (${personKey.fingerprint})`,
    `  keys/spec_signers: ${person.principal} may sign commits; nobody else yet`,
    `  sites/${site}.yaml: site ${site} runs every tenant; its recorder signs with ${made.recorderFingerprint}`,
    "  plugins/: core.files, core.js, core.log",
    `  tenants/${exampleTenant}/: an example, with the DAG hello and core.* allowed; remove it when you like`,
    `Wrote ${dataDir}/config.yaml and the recorder's key below ${dataDir}/signer`,
    "",
    "Next, the daemon and a first run:",
    `  npx orrery up --data ${shellWord(dataDir)}`,
    `  npx orrery run ${exampleTenant}/hello --data ${shellWord(dataDir)}`,
    "",
    "And a clone in which commits are signed:",
    ...cloneCommands({ repository, clone, person, personKey }).map((command) => `  ${command}`),
  ];
}

interface Clone {
  readonly repository: string;
  readonly clone: string;
  readonly person: Person;
  readonly personKey: Pick<PersonKey, "gitSetting">;
}

/** Run one after another in a shell, they end in a clone where `git commit -S` works and `git log --show-signature` knows the signer. */
export function cloneCommands({ repository, clone, person, personKey }: Clone): readonly string[] {
  const settings: readonly (readonly [string, string])[] = [
    ["user.name", person.name],
    ["user.email", person.principal],
    ["gpg.format", "ssh"],
    ["user.signingkey", personKey.gitSetting],
    ["gpg.ssh.allowedSignersFile", "keys/spec_signers"],
    ["commit.gpgsign", "true"],
  ];
  return [
    `git clone ${shellWord(repository)} ${shellWord(clone)} && cd ${shellWord(clone)}`,
    ...settings.map(([name, value]) => `git config ${name} ${shellWord(value)}`),
  ];
}
