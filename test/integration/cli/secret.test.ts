import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { armor, Decrypter } from "age-encryption";
import { describe, expect, it } from "vitest";
import { scratchDir } from "../../support/git-fixtures.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const canary = "canary-7f3a9c0d1e";

interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A site's data directory and a work tree; the command as its own process, for it reads standard input. */
function setup() {
  const scratch = scratchDir();
  const data = scratch.join("data");
  const work = scratch.join("specs");
  mkdirSync(data);
  const write = (path: string, text: string): void => {
    mkdirSync(join(work, path, ".."), { recursive: true });
    writeFileSync(join(work, path), text);
  };
  write("orrery.yaml", "apiVersion: orrery/v1\nkind: Repository\nspec: {}\n");
  write(
    "tenants/acme/allowlist.yaml",
    'apiVersion: orrery/v1\nkind: Allowlist\nspec:\n  secrets: [{ name: notify_token, for: ["notify.*"] }]\n',
  );
  write(
    "tenants/acme/dags/nightly.yaml",
    "apiVersion: orrery/v1\nkind: Dag\nspec:\n  rationale: a test\n  steps:\n    post: { uses: notify.post@1.0.0, secrets: { token: notify_token } }\n",
  );
  const secret = (args: readonly string[], input = ""): Said => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--import", "tsx", "src/cli/main.ts", "secret", ...args],
      { cwd: root, input, encoding: "utf8", env: { PATH: process.env["PATH"], HOME: scratch.path } },
    );
    return { code: status, out: stdout, err: stderr };
  };
  return { scratch, data, work, secret, [Symbol.dispose]: () => scratch[Symbol.dispose]() };
}

const said = ({ out, err }: Said): string => out + err;

describe("orrery secret", () => {
  it("set takes a value from standard input into a file that only its owner reads, and says nothing of it", () => {
    using site = setup();

    const set = site.secret(["set", "acme/notify_token", "--data", site.data], `${canary}\n`);

    const file = join(site.data, "secrets", "acme", "notify_token");
    expect([set.code, readFileSync(file, "utf8"), statSync(file).mode & 0o777]).toEqual([0, canary, 0o600]);
    expect(said(set)).not.toContain(canary);
  }, 60_000);

  it.each([
    ["a value that is too short", ["acme/notify_token"], "short\n"],
    ["no value", ["acme/notify_token"], ""],
    ["a value among the arguments", ["acme/notify_token", canary], `${canary}\n`],
    ["a name that leads elsewhere", ["acme/../x"], `${canary}\n`],
    ["a value in the place of the name", [`acme/${canary}`], ""],
  ])(
    "set refuses %s, writes nothing and does not repeat it",
    (_name, args, input) => {
      using site = setup();

      const set = site.secret(["set", ...args, "--data", site.data], input);

      expect(set.code).toBe(2);
      expect(said(set)).not.toMatch(/canary-7f3a9c0d1e\n|short\n/);
      expect(existsSync(join(site.data, "secrets"))).toBe(false);
    },
    60_000,
  );

  it("set --age writes a file into the work tree that this site and every named recipient can open, and nobody else", async () => {
    using site = setup();
    using other = setup();
    const [ours, theirs] = [site, other].map(({ secret, data }) => secret(["recipient", "--data", data]).out.trim());

    const set = site.secret(
      [
        "set",
        "acme/notify_token",
        "--age",
        "--repo",
        site.work,
        "--recipient",
        ours ?? "",
        "--recipient",
        theirs ?? "",
      ],
      canary,
    );

    const file = join(site.work, "tenants", "acme", "secrets", "notify_token.age");
    expect(set).toMatchObject({ code: 0 });
    for (const { data } of [site, other]) {
      const decrypter = new Decrypter();
      decrypter.addIdentity(
        /^AGE-SECRET-KEY-1\S+$/m.exec(readFileSync(join(data, "keys", "age.key"), "utf8"))?.[0] ?? "",
      );
      expect(await decrypter.decrypt(armor.decode(readFileSync(file, "utf8")), "text")).toBe(canary);
    }
    expect(readFileSync(file, "utf8")).not.toContain(canary);
    expect(readdirSync(join(file, ".."))).toEqual(["notify_token.age"]);
  }, 60_000);

  it("recipient is made on first use and stays", () => {
    using site = setup();

    const [first, second] = [1, 2].map(() => site.secret(["recipient", "--data", site.data]).out);

    expect(first).toMatch(/^age1[a-z0-9]{58}\n$/);
    expect(second).toBe(first);
    expect(statSync(join(site.data, "keys", "age.key")).mode & 0o777).toBe(0o600);
  }, 60_000);

  it("list says of each secret where its value is, who is granted it and who uses it, and shows none", () => {
    using site = setup();
    const list = (...more: string[]): Said => site.secret(["list", "--data", site.data, "--repo", site.work, ...more]);

    const before = list("-o", "json");
    site.secret(["set", "acme/notify_token", "--data", site.data], canary);
    site.secret(["set", "acme/spare_key", "--data", site.data], canary);
    const after = list();
    chmodSync(join(site.data, "secrets", "acme", "spare_key"), 0o644);
    const spoiled = list("acme", "-o", "json");

    const row = { tenant: "acme", name: "notify_token", defect: null };
    const known = { ...row, grantedTo: ["notify.*"], usedBy: ["nightly/post"] };
    expect(JSON.parse(before.out)).toEqual([{ ...known, source: null }]);
    expect(after.out).toMatch(
      /acme +notify_token +file +notify\.\* +nightly\/post\nacme +spare_key +file +nobody +no step/,
    );
    expect(JSON.parse(spoiled.out)).toEqual([
      { ...known, source: "file" },
      expect.objectContaining({
        name: "spare_key",
        source: "file",
        defect: expect.stringContaining("chmod 0600") as string,
      }),
    ]);
    expect([before, after, spoiled].map(said).join("")).not.toContain(canary);
  }, 60_000);
});
