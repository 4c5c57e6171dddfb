import { lstatSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { encodeCommit, type FirstCommit, graftTree, hashObject, signedCommit } from "../../git/index.ts";
import { publicKeyLine } from "../../trust/index.ts";
import { editorFiles, modelineOf } from "../new/editor-files.ts";
import type { Person } from "../person/person.ts";
import type { PersonKey } from "../person/person-key.ts";
import { packageRoot } from "../version.ts";

export interface FirstRevision {
  readonly site: string;
  readonly person: Person;
  readonly personKey: PersonKey;
  /** Public key of the recorder, wire form. */
  readonly recorderBlob: Uint8Array;
  readonly now: Date;
}

export const exampleTenant = "example";

/** The signed first commit of a spec repository, with all its objects. */
export async function makeFirstCommit(revision: FirstRevision): Promise<FirstCommit> {
  const { root, objects } = graftTree({ readTree: () => [] }, null, filesOf(revision));
  const { person, personKey, now, site } = revision;
  const ident = {
    name: person.name,
    email: person.principal,
    seconds: Math.floor(now.getTime() / 1000),
    offset: "+0000",
  };
  const message = `Begin the spec repository of site ${site}\n\nMade by orrery init.\n`;
  const payload = encodeCommit({ tree: root, parents: [], author: ident, committer: ident, message });
  const body = signedCommit(payload, await personKey.sign("git", payload));
  return { commit: hashObject("commit", body), objects: [...objects, { type: "commit", body }] };
}

function filesOf({ site, person, personKey, recorderBlob }: FirstRevision): ReadonlyMap<string, Buffer> {
  const tenant = `tenants/${exampleTenant}`;
  const example = path.join(packageRoot(), "specs-example");
  const signer = `${person.principal} namespaces="git,orrery-approval" ${publicKeyLine(personKey.blob)}\n`;
  const texts = new Map([
    ["README.md", readmeText(site)],
    ["orrery.yaml", repositoryText],
    ["keys/spec_signers", signer],
    [`sites/${site}.yaml`, siteText(publicKeyLine(recorderBlob))],
    [`${tenant}/tenant.yaml`, `${headOf("Tenant")}  owners: [${JSON.stringify(person.principal)}]\n`],
    [`${tenant}/allowlist.yaml`, `${headOf("Allowlist")}  plugins:\n    - { name: "core.*", versions: ["1.x"] }\n`],
    ...editorFiles(),
  ]);
  const hello = `${tenant}/dags/hello.yaml`;
  texts.set(hello, readFileSync(path.join(example, "tenants", "acme", "dags", "hello.yaml"), "utf8"));
  const files = new Map<string, Buffer>(
    [...texts].map(([name, text]) => [name, Buffer.from(modelineOf(name) + text, "utf8")]),
  );
  for (const [name, bytes] of corePlugins(path.join(example, "plugins"))) files.set(`plugins/${name}`, bytes);
  return files;
}

const headOf = (kind: string): string => `apiVersion: orrery/v1\nkind: ${kind}\nspec:\n`;

const repositoryText = `# What the whole repository agrees on.
${headOf("Repository")}  trust:
    commits: require     # every commit is signed by a key of its parent's keys/spec_signers
    merges: firstParent  # the signer of a merge answers for what it brings in
  brakes:
    prunePercent: 20  # a commit that removes more of a tenant's DAGs waits for a person
`;

const siteText = (recorderKey: string): string => `# Which tenants run at this site, and the key that signs its records.
${headOf("Site")}  tenants: ["*"]
  audit:
    keys:
      - { key: ${JSON.stringify(recorderKey)}, from: 1 }
`;

const readmeText = (site: string): string => `# Spec repository of site ${site}

| path | what |
|---|---|
| orrery.yaml | trust and brakes of the whole repository |
| keys/spec_signers | who may sign commits (OpenSSH allowed_signers) |
| sites/${site}.yaml | which tenants run at this site; the recorder's public key |
| plugins/ | what steps may use |
| schemas/, .vscode/ | completion in editors; \`orrery new schemas\` brings them up to date |
| tenants/<tenant>/ | tenant.yaml, quota.yaml, allowlist.yaml, dags/<dagId>.yaml, files/ |

Who may clone this repository reads all of it. \`orrery lint\` checks it before you commit.
`;

/** Every file of the core plugins that this version ships, by its path below plugins/. */
function corePlugins(root: string): readonly (readonly [string, Buffer])[] {
  const names = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.startsWith("core."));
  return names
    .map((name) => name.replaceAll(path.sep, "/"))
    .filter((name) => lstatSync(path.join(root, name)).isFile())
    .map((name) => [name, readFileSync(path.join(root, name))]);
}
