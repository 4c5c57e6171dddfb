import { readdirSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "../base/node-digest.ts";
import { decryptAge } from "./age-file.ts";
import { directoryDefect, type OwnFile, placeOwner, readOwnFile } from "./own-file.ts";
import { isSecretName, secretCaps, secretText } from "./secret-value.ts";

/**
 * Where a value comes from, in the order in which they are asked: a file of the data directory, a credential of the
 * service manager, an age file of the repository. What is nearest to the machine wins.
 */
export type SecretSource = "file" | "credential" | "age";

export type FoundSecret =
  | { readonly kind: "found"; readonly source: SecretSource; readonly value: string }
  /** There is something, and it must not be used: the next source is not asked. */
  | { readonly kind: "unusable"; readonly source: SecretSource; readonly why: string }
  | { readonly kind: "absent" };

export interface SecretPlaces {
  readonly dataDir: string;
  /** $CREDENTIALS_DIRECTORY of the service; null = none. */
  readonly credentialsDir: string | null;
  /** The site's age identity; null = it has none. Fault KEY_UNREADABLE. */
  readonly identity: () => Promise<string | null>;
}

/** The values of one site. Read anew each time: a value that was replaced counts from the next step on. */
export interface SecretSources {
  /** `age`: the file tenants/<tenant>/secrets/<name>.age of the revision that counts, or null. */
  readonly find: (tenant: string, name: string, age: Uint8Array | null) => Promise<FoundSecret>;
  /**
   * All of a tenant's secrets at once, by name: null = usable, a text = why not. `age`: the age files of a revision, by
   * name.
   */
  readonly states: (
    tenant: string,
    age: ReadonlyMap<string, Uint8Array>,
  ) => Promise<ReadonlyMap<string, string | null>>;
  /** Names that the machine itself has of a tenant, by source; whether they can be used is not looked at. */
  readonly local: (tenant: string) => readonly { readonly name: string; readonly source: SecretSource }[];
}

export const secretsDirOf = (dataDir: string): string => join(dataDir, "secrets");

/** A trailing line break is not part of a value. */
const maxFileBytes = secretCaps.maxBytes + 2;

export function createSecretSources(places: SecretPlaces): SecretSources {
  const find: SecretSources["find"] = async (tenant, name, age) => {
    // The schemas see to it; here it would lead out of the directory.
    if (!isSecretName(name) || !/^[a-z0-9][-a-z0-9]*$/.test(tenant)) return { kind: "absent" };
    const local = fromMachine(places, tenant, name);
    if (local.kind !== "absent") return local;
    return age === null ? { kind: "absent" } : await fromAge(places, age);
  };
  const ageStates = createAgeStates(places);
  return {
    find,
    states: async (tenant, age) => {
      const names = new Set([...localNames(places, tenant).map(({ name }) => name), ...age.keys()]);
      const states = new Map<string, string | null>();
      for (const name of names) {
        const local = fromMachine(places, tenant, name);
        const file = age.get(name);
        if (local.kind !== "absent") states.set(name, stateOf(local));
        else if (file !== undefined) states.set(name, await ageStates(file));
      }
      return states;
    },
    local: (tenant) => localNames(places, tenant),
  };
}

function fromMachine(places: SecretPlaces, tenant: string, name: string): FoundSecret {
  const file = fromFile(places, tenant, name);
  if (file.kind !== "absent") return decoded(file, "file");
  return decoded(fromCredential(places, tenant, name), "credential");
}

const localNames = ({ dataDir, credentialsDir }: SecretPlaces, tenant: string): ReturnType<SecretSources["local"]> => [
  ...namesIn(join(secretsDirOf(dataDir), tenant), "").map((name) => ({ name, source: "file" as const })),
  ...(credentialsDir === null ? [] : namesIn(credentialsDir, `${tenant}.`)).map((name) => ({
    name,
    source: "credential" as const,
  })),
];

const stateOf = (found: FoundSecret): string | null => (found.kind === "unusable" ? found.why : null);

const maxAgeStates = 10_000;

/** Whether the site can open an age file, kept by its hash: a pass asks for every file of a tenant each minute. */
function createAgeStates(places: SecretPlaces): (file: Uint8Array) => Promise<string | null> {
  const known = new Map<string, string | null>();
  return async (file) => {
    const key = sha256Hex(`${(await places.identity()) ?? ""} ${sha256Hex(file)}`);
    const before = known.get(key);
    if (before !== undefined) return before;
    const state = stateOf(await fromAge(places, file));
    if (known.size >= maxAgeStates) known.clear();
    known.set(key, state);
    return state;
  };
}

function fromFile({ dataDir }: SecretPlaces, tenant: string, name: string): OwnFile {
  const root = secretsDirOf(dataDir);
  const owner = placeOwner(dataDir);
  for (const directory of [root, join(root, tenant)]) {
    const defect = directoryDefect(directory, owner);
    if (defect === "absent") return { kind: "absent" };
    if (defect !== null) return { kind: "refused", why: defect };
  }
  return readOwnFile(join(root, tenant, name), { maxBytes: maxFileBytes, forbiddenBits: 0o077, owner });
}

/** systemd's own files: 0400, or 0440 where it grants by ACL. */
function fromCredential({ credentialsDir }: SecretPlaces, tenant: string, name: string): OwnFile {
  if (credentialsDir === null) return { kind: "absent" };
  const path = join(credentialsDir, `${tenant}.${name}`);
  return readOwnFile(path, { maxBytes: maxFileBytes, forbiddenBits: 0o037, owner: null });
}

async function fromAge({ identity }: SecretPlaces, file: Uint8Array): Promise<FoundSecret> {
  const key = await identity();
  if (key === null) return { kind: "unusable", source: "age", why: "this site has no age key yet" };
  const opened = await decryptAge(file, key);
  return decoded(
    opened.ok ? { kind: "read", bytes: Buffer.from(opened.bytes) } : { kind: "refused", why: opened.why },
    "age",
  );
}

function decoded(read: OwnFile, source: SecretSource): FoundSecret {
  if (read.kind === "absent") return read;
  if (read.kind === "refused") return { kind: "unusable", source, why: read.why };
  const text = secretText(read.bytes);
  // Best effort: the string stays until the collector has it.
  read.bytes.fill(0);
  return text.ok ? { kind: "found", source, value: text.value } : { kind: "unusable", source, why: text.why };
}

function namesIn(directory: string, prefix: string): readonly string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.startsWith(prefix));
    return names
      .map((name) => name.slice(prefix.length))
      .filter(isSecretName)
      .sort();
  } catch {
    return [];
  }
}
