import { readdirSync } from "node:fs";
import { join } from "node:path";
import { decryptAge } from "./age-file.ts";
import { directoryDefect, type OwnFile, readOwnFile } from "./own-file.ts";
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
  find(tenant: string, name: string, age: Uint8Array | null): Promise<FoundSecret>;
  /** Names that the machine itself has of a tenant, by source; whether they can be used is not looked at. */
  local(tenant: string): readonly { readonly name: string; readonly source: SecretSource }[];
}

export const secretsDirOf = (dataDir: string): string => join(dataDir, "secrets");

/** A trailing line break is not part of a value. */
const maxFileBytes = secretCaps.maxBytes + 2;

export function createSecretSources(places: SecretPlaces): SecretSources {
  return {
    find: async (tenant, name, age) => {
      const file = fromFile(places, tenant, name);
      if (file.kind !== "absent") return decoded(file, "file");
      const credential = fromCredential(places, tenant, name);
      if (credential.kind !== "absent") return decoded(credential, "credential");
      return age === null ? { kind: "absent" } : await fromAge(places, age);
    },
    local: (tenant) => [
      ...namesIn(join(secretsDirOf(places.dataDir), tenant), "").map((name) => ({ name, source: "file" as const })),
      ...(places.credentialsDir === null ? [] : namesIn(places.credentialsDir, `${tenant}.`)).map((name) => ({
        name,
        source: "credential" as const,
      })),
    ],
  };
}

function fromFile({ dataDir }: SecretPlaces, tenant: string, name: string): OwnFile {
  const root = secretsDirOf(dataDir);
  for (const directory of [root, join(root, tenant)]) {
    const defect = directoryDefect(directory);
    if (defect === "absent") return { kind: "absent" };
    if (defect !== null) return { kind: "refused", why: defect };
  }
  return readOwnFile(join(root, tenant, name), { maxBytes: maxFileBytes, forbiddenBits: 0o077 });
}

/** systemd's own files: 0400, or 0440 where it grants by ACL. */
function fromCredential({ credentialsDir }: SecretPlaces, tenant: string, name: string): OwnFile {
  if (credentialsDir === null) return { kind: "absent" };
  const path = join(credentialsDir, `${tenant}.${name}`);
  return readOwnFile(path, { maxBytes: maxFileBytes, forbiddenBits: 0o037 });
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
