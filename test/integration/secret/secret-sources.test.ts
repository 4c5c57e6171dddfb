import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { armor, Encrypter } from "age-encryption";
import { describe, expect, it } from "vitest";
import {
  ageFileDefect,
  ageKeyFileOf,
  createSecretSources,
  encryptAge,
  ensureSiteIdentity,
  readSiteIdentity,
  type SecretSources,
  storeSecretFile,
} from "../../../src/secret/index.ts";
import { scratchDir } from "../../support/git-fixtures.ts";

const key = { tenant: "acme", name: "notify_token" };

function setup(credentials = false) {
  const scratch = scratchDir();
  const dataDir = scratch.path;
  const credentialsDir = credentials ? scratch.join("credentials") : null;
  if (credentialsDir !== null) mkdirSync(credentialsDir, { mode: 0o700 });
  const sources: SecretSources = createSecretSources({
    ...{ dataDir, credentialsDir },
    identity: async () => (await readSiteIdentity(ageKeyFileOf(dataDir)))?.identity ?? null,
  });
  const find = (age: Uint8Array | null = null) => sources.find(key.tenant, key.name, age);
  return { scratch, dataDir, credentialsDir, sources, find, file: join(dataDir, "secrets", "acme", "notify_token") };
}

describe("where a value comes from", () => {
  it("is first the data directory, then the service manager, then the repository", async () => {
    const { scratch, dataDir, credentialsDir, find, sources } = setup(true);
    using _ = scratch;
    const { recipient } = await ensureSiteIdentity(ageKeyFileOf(dataDir));
    const age = Buffer.from(await encryptAge("from-the-repository", [recipient]));

    const fromAge = await find(age);
    writeFileSync(join(credentialsDir ?? "", "acme.notify_token"), "from-the-service-manager\n", { mode: 0o400 });
    const fromCredential = await find(age);
    storeSecretFile(dataDir, key, "from-the-data-directory");
    const fromFile = await find(age);

    expect(fromAge).toEqual({ kind: "found", source: "age", value: "from-the-repository" });
    expect(fromCredential).toEqual({ kind: "found", source: "credential", value: "from-the-service-manager" });
    expect(fromFile).toEqual({ kind: "found", source: "file", value: "from-the-data-directory" });
    expect(sources.local("acme").map(({ source }) => source)).toEqual(["file", "credential"]);
    expect(sources.local("borealis")).toEqual([]);
  });

  it("is nowhere where nobody put one", async () => {
    const { scratch, find } = setup(true);
    using _ = scratch;

    expect(await find()).toEqual({ kind: "absent" });
  });

  it("keeps what it writes to its owner, and replaces a value whole", async () => {
    const { scratch, dataDir, file, find } = setup();
    using _ = scratch;

    storeSecretFile(dataDir, key, "first-value");
    storeSecretFile(dataDir, key, "second-value");

    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(dataDir, "secrets")).mode & 0o777).toBe(0o700);
    expect(await find()).toMatchObject({ value: "second-value" });
  });
});

describe("where root writes for the daemon's user", () => {
  const daemon = { uid: 61_234, gid: 61_235 };
  function setupAsRoot() {
    const made = setup();
    chownSync(made.dataDir, daemon.uid, daemon.gid);
    return made;
  }

  it.skipIf(process.getuid?.() !== 0)("all of it is that user's, group and all (needs root)", async () => {
    const { scratch, dataDir, file, find } = setupAsRoot();
    using _ = scratch;

    storeSecretFile(dataDir, key, "first-value");

    for (const path of [join(dataDir, "secrets"), join(dataDir, "secrets", "acme"), file])
      expect(statSync(path)).toMatchObject(daemon);
    expect([process.geteuid?.(), process.getegid?.()]).toEqual([0, 0]);
    expect(await find()).toMatchObject({ value: "first-value" });
  });

  it.skipIf(process.getuid?.() !== 0)("it writes nowhere that this user may not (needs root)", () => {
    const { scratch, dataDir, file } = setupAsRoot();
    using _ = scratch;
    storeSecretFile(dataDir, key, "first-value");
    chmodSync(join(dataDir, "secrets", "acme"), 0o500);

    expect(() => storeSecretFile(dataDir, key, "second-value")).toThrow(
      expect.objectContaining({ code: "SECRET_UNUSABLE", message: expect.stringContaining("EACCES") as string }),
    );
    expect(readFileSync(file, "utf8")).toBe("first-value");
    expect(process.geteuid?.()).toBe(0);
  });
});

describe("a value that others could have put there or read", () => {
  it.each([
    ["a file that its group may read", (s: ReturnType<typeof setup>) => chmodSync(s.file, 0o640), "chmod 0600"],
    [
      "a directory that others may write",
      (s: ReturnType<typeof setup>) => chmodSync(join(s.dataDir, "secrets", "acme"), 0o777),
      "chmod 0700",
    ],
  ])("is not used: %s; and no other source takes its place", async (_name, spoil, fix) => {
    const world = setup();
    using _ = world.scratch;
    const { recipient } = await ensureSiteIdentity(ageKeyFileOf(world.dataDir));
    const age = Buffer.from(await encryptAge("from-the-repository", [recipient]));
    storeSecretFile(world.dataDir, key, "canary-7f3a9c");

    spoil(world);
    const found = await world.find(age);

    expect(found).toMatchObject({ kind: "unusable", source: "file" });
    expect(JSON.stringify(found)).toContain(fix);
    expect(JSON.stringify(found)).not.toContain("canary");
  });

  it("is not reached through a symlink, neither the file nor its directory", async () => {
    const { scratch, dataDir, file, find } = setup();
    using _ = scratch;
    writeFileSync(scratch.join("outside"), "canary-7f3a9c", { mode: 0o600 });
    mkdirSync(join(dataDir, "secrets", "acme"), { recursive: true, mode: 0o700 });
    symlinkSync(scratch.join("outside"), file);

    const link = await find();
    mkdirSync(scratch.join("elsewhere"), { mode: 0o700 });
    writeFileSync(scratch.join("elsewhere", "notify_token"), "canary-7f3a9c", { mode: 0o600 });
    symlinkSync(scratch.join("elsewhere"), join(dataDir, "secrets", "borealis"));
    const sources = createSecretSources({ dataDir, credentialsDir: null, identity: () => Promise.resolve(null) });
    const directory = await sources.find("borealis", "notify_token", null);

    expect(link).toEqual({ kind: "unusable", source: "file", why: "it is a symlink" });
    expect(directory).toMatchObject({ kind: "unusable", source: "file" });
  });

  it("belongs to us or to root: a stranger's file is refused", async (context) => {
    if (process.geteuid?.() !== 0) context.skip("only root can give files away");
    const { scratch, dataDir, file, find } = setup();
    using _ = scratch;
    const { chownSync } = await import("node:fs");
    storeSecretFile(dataDir, key, "canary-7f3a9c");

    chownSync(file, 65_534, 65_534);

    expect(await find()).toEqual({ kind: "unusable", source: "file", why: "it belongs to uid 65534" });
  });
});

describe("an age file of the repository", () => {
  it("is taken binary and armoured, and only with an X25519 recipient", async () => {
    const { scratch, dataDir, find } = setup();
    using _ = scratch;
    const { recipient } = await ensureSiteIdentity(ageKeyFileOf(dataDir));
    const armoured = await encryptAge("canary-7f3a9c", [recipient]);

    expect(ageFileDefect(Buffer.from(armoured))).toBeNull();
    expect(await find(armor.decode(armoured))).toMatchObject({ kind: "found", value: "canary-7f3a9c" });
    expect(ageFileDefect(Buffer.from("canary-7f3a9c"))).toMatch(/no age file/);
    expect(ageFileDefect(Buffer.alloc(64 * 1024 + 1))).toMatch(/longer than 65536/);
    expect(ageFileDefect(Buffer.from("-----BEGIN AGE ENCRYPTED FILE-----\nnonsense"))).toMatch(/armour/);
  });

  it("with a passphrase is refused before anything is derived from it", async () => {
    const { scratch, dataDir, find } = setup();
    using _ = scratch;
    await ensureSiteIdentity(ageKeyFileOf(dataDir));
    const encrypter = new Encrypter();
    encrypter.setPassphrase("correct horse battery staple");
    encrypter.setScryptWorkFactor(4);
    const file = await encrypter.encrypt("canary-7f3a9c");

    expect(ageFileDefect(file)).toMatch(/passphrase/);
    expect(await find(file)).toMatchObject({ kind: "unusable", source: "age" });
  });

  it("for another site is told apart from one that was changed", async () => {
    const [ours, other] = [setup(), setup()];
    using _ours = ours.scratch;
    using _other = other.scratch;
    const here = await ensureSiteIdentity(ageKeyFileOf(ours.dataDir));
    const there = await ensureSiteIdentity(ageKeyFileOf(other.dataDir));

    const foreign = await ours.find(Buffer.from(await encryptAge("canary-7f3a9c", [there.recipient])));
    const both = await ours.find(Buffer.from(await encryptAge("canary-7f3a9c", [there.recipient, here.recipient])));
    const changed = Buffer.from(armor.decode(await encryptAge("canary-7f3a9c", [here.recipient])));
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;

    expect(foreign).toEqual({ kind: "unusable", source: "age", why: "it is not encrypted to this site's recipient" });
    expect(both).toMatchObject({ kind: "found", value: "canary-7f3a9c" });
    expect(await ours.find(changed)).toEqual({ kind: "unusable", source: "age", why: "it cannot be decrypted" });
  });
});

describe("the site's age key", () => {
  it("is made once, in a file that age itself reads, for its owner alone", async () => {
    const { scratch, dataDir } = setup();
    using _ = scratch;
    const file = ageKeyFileOf(dataDir);

    const [first, second] = await Promise.all([ensureSiteIdentity(file), ensureSiteIdentity(file)]);
    const again = await ensureSiteIdentity(file);

    expect(new Set([first, second, again].map(({ recipient }) => recipient)).size).toBe(1);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).toMatch(/^# public key: age1[a-z0-9]{58}\nAGE-SECRET-KEY-1[A-Z0-9]{58}\n$/);
  });

  it("that others may read is refused, and never replaced", async () => {
    const { scratch, dataDir } = setup();
    using _ = scratch;
    const file = ageKeyFileOf(dataDir);
    await ensureSiteIdentity(file);
    const before = readFileSync(file, "utf8");

    chmodSync(file, 0o644);

    await expect(ensureSiteIdentity(file)).rejects.toMatchObject({ code: "KEY_UNREADABLE" });
    expect(readFileSync(file, "utf8")).toBe(before);
    expect(existsSync(`${file}.tmp`)).toBe(false);
  });
});
