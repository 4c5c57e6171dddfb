import { afterEach, describe, expect, it } from "vitest";
import { type DaemonLife, type DaemonWorld, openDaemonWorld } from "../../support/daemon-world.ts";
import { commitRaw, type RawEntry, rawBlob, rawTree } from "../../support/hostile-tree.ts";
import { reconcilePass } from "../../support/reconcile-pass.ts";
import { dagPath, dagText, type FileChanges, logStep, tenantFiles } from "../../support/spec-commits.ts";

const hello = dagText({ steps: { hello: logStep() } });
const changed = dagText({ steps: { hello: logStep("changed") } });
const files: FileChanges = {
  ...tenantFiles("acme"),
  ...tenantFiles("beta"),
  [dagPath("acme", "hello")]: hello,
  [dagPath("acme", "other")]: hello,
  [dagPath("beta", "hello")]: hello,
};

let world: DaemonWorld;
afterEach(() => world[Symbol.asyncDispose]());

async function setup(): Promise<DaemonLife> {
  world = await openDaemonWorld({ files });
  const life = await world.live();
  await reconcilePass(life);
  return life;
}

const dags = "tenants/acme/dags";
const hashOf = async (life: DaemonLife, tenant: string, dagId: string): Promise<string | undefined> =>
  (await life.plant.store.ledger.getDag(tenant, dagId))?.specHash;

/** Commits `entries` together with a good change of both tenants; what the pass found, by path. */
async function push(life: DaemonLife, entries: (dir: string) => readonly RawEntry[]) {
  const before = await hashOf(life, "acme", "hello");
  const { dir } = world.spec;
  const good = rawBlob(dir, changed);
  commitRaw(
    world.spec,
    [
      { folder: dags, mode: "100644", name: "other.yaml", oid: good },
      { folder: "tenants/beta/dags", mode: "100644", name: "hello.yaml", oid: good },
      ...entries(dir),
    ],
    Math.floor(world.clock.now().getTime() / 1000),
  );
  const pass = await reconcilePass(life);
  const after = {
    hello: await hashOf(life, "acme", "hello"),
    other: await hashOf(life, "acme", "other"),
    beta: await hashOf(life, "beta", "hello"),
  };
  return { before, pass, after, findings: pass.plan.findings.map(({ code, path }) => `${code} ${path}`) };
}

const file = "100644";
const evilNames: readonly (readonly [string, string | Buffer])[] = [
  [".git", ".git"],
  [".GIT in capitals", ".GIT"],
  ["dot dot", ".."],
  ["a slash", "../../escape.yaml"],
  ["a newline", "a\nb.yaml"],
  ["a terminal escape", "\u001b[2Ja.yaml"],
  ["bytes that are no UTF-8", Buffer.from([0xff, 0xfe, 0x2e, 0x79, 0x61, 0x6d, 0x6c])],
  ["a name that HFS+ takes for .git", ".g\u200cit"],
  ["a short name of NTFS", "git~1"],
];

describe("a rogue entry in a signed commit", () => {
  it.each(evilNames)("named %s is refused by name while its neighbours are applied", async (_, name) => {
    const life = await setup();

    const { before, pass, after, findings } = await push(life, (dir) => [
      { folder: dags, mode: file, name, oid: rawBlob(dir, hello) },
    ]);

    expect(pass.stalled).toBeNull();
    expect(after.other).not.toBe(before);
    expect(after.beta).toBe(after.other);
    expect(after.hello).toBe(before);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatch(/^SPEC_[A-Z_]+ tenants\/acme\/dags\//u);
  });

  it("a symlink in a document's place is not followed: that DAG alone is held", async () => {
    const life = await setup();

    const { before, after, findings } = await push(life, (dir) => [
      { folder: dags, mode: "120000", name: "hello.yaml", oid: rawBlob(dir, "../../beta/dags/hello.yaml") },
    ]);

    expect(after).toMatchObject({ hello: before, beta: after.other });
    expect(findings).toEqual([`SPEC_TREE_ENTRY ${dagPath("acme", "hello")}`]);
  });

  it("a symlink to another tenant's folder makes no tenant", async () => {
    const life = await setup();

    const { pass } = await push(life, (dir) => [
      { folder: "tenants", mode: "120000", name: "twin", oid: rawBlob(dir, "beta") },
    ]);

    expect(pass.tenants).toEqual(["acme", "beta"]);
  });

  it("a submodule in a document's place, or as the whole folder, is not followed and prunes nothing", async () => {
    const life = await setup();

    const { before, after, findings } = await push(life, () => [
      { folder: dags, mode: "160000", name: "hello.yaml", oid: "1".repeat(40) },
    ]);

    expect(after.hello).toBe(before);
    expect(findings).toEqual([`SPEC_TREE_ENTRY ${dagPath("acme", "hello")}`]);
  });

  it("a tenant's folder that became a submodule or a file prunes nothing of it", async () => {
    const life = await setup();

    for (const mode of ["160000", file]) {
      commitRaw(
        world.spec,
        [{ folder: "tenants", mode, name: "acme", oid: mode === file ? rawBlob(world.spec.dir, "x") : "1".repeat(40) }],
        Math.floor(world.clock.now().getTime() / 1000),
      );
      const pass = await reconcilePass(life);

      expect((await life.plant.store.ledger.listDags("acme")).filter(({ pruned }) => pruned)).toEqual([]);
      expect(pass.plan.findings.map(({ path }) => path)).toContain("tenants/acme");
    }
  });

  it("twins by letter case are two names, of which one is no DAG: neither stands for the other", async () => {
    const life = await setup();

    const { before, after, findings } = await push(life, (dir) => [
      { folder: dags, mode: file, name: "HELLO.yaml", oid: rawBlob(dir, changed) },
    ]);

    expect(after.hello).toBe(before);
    expect(findings).toEqual([expect.stringMatching(/^SPEC_[A-Z_]+ tenants\/acme\/dags\/HELLO\.yaml$/u)]);
  });

  it("the same name twice in one tree is refused, whichever would win", async () => {
    const life = await setup();
    const { dir, head } = world.spec;
    const folder = rawTree(dir, [
      { mode: file, name: Buffer.from("hello.yaml"), oid: rawBlob(dir, hello) },
      { mode: file, name: Buffer.from("hello.yaml"), oid: rawBlob(dir, changed) },
    ]);
    commitRaw(
      world.spec,
      [{ folder: "tenants/acme", mode: "40000", name: "dags", oid: folder }],
      Math.floor(world.clock.now().getTime() / 1000),
    );

    const pass = await reconcilePass(life);

    expect(world.spec.head).not.toBe(head);
    expect((await life.plant.store.ledger.getDag("acme", "hello"))?.pruned).toBe(false);
    expect(pass.plan.findings.map(({ path }) => path)).toContain(dagPath("acme", "hello"));
  });

  it("a document of 65 MiB holds that DAG alone", async () => {
    const life = await setup();

    const { before, after, pass, findings } = await push(life, (dir) => [
      { folder: dags, mode: file, name: "hello.yaml", oid: rawBlob(dir, Buffer.alloc(65 << 20, 0x23)) },
    ]);

    expect(pass.stalled).toBeNull();
    expect(after).toMatchObject({ hello: before, beta: after.other });
    expect(findings).toEqual([expect.stringContaining(dagPath("acme", "hello"))]);
  });

  it("a file of 65 MiB below files/ stops its tenant alone, by name", async () => {
    const life = await setup();

    const { before, after, pass, findings } = await push(life, (dir) => [
      { folder: "tenants/acme/files", mode: file, name: "big.json", oid: rawBlob(dir, Buffer.alloc(65 << 20, 0x20)) },
    ]);

    expect(pass.stalled).toBeNull();
    expect(after.beta).not.toBe(before);
    expect(findings).toEqual([expect.stringContaining("tenants/acme/files/big.json")]);
  });

  it("an object that is missing holds what names it alone", async () => {
    const life = await setup();

    const { before, after, findings } = await push(life, () => [
      { folder: dags, mode: file, name: "hello.yaml", oid: "2".repeat(40) },
    ]);

    expect(after).toMatchObject({ hello: before, beta: after.other });
    expect(findings).toEqual([expect.stringContaining(dagPath("acme", "hello"))]);
  });

  it("folders that are 100 deep end with a finding, not with the stack", async () => {
    const life = await setup();

    const { after, findings } = await push(life, (dir) => {
      let oid = rawTree(dir, [{ mode: file, name: Buffer.from("a.yaml"), oid: rawBlob(dir, hello) }]);
      for (let depth = 0; depth < 100; depth += 1) oid = rawTree(dir, [{ mode: "40000", name: Buffer.from("d"), oid }]);
      return [{ folder: dags, mode: "40000", name: "deep", oid }];
    });

    expect(after.beta).toBe(after.other);
    expect(findings).toEqual([expect.stringMatching(/^SPEC_[A-Z_]+ tenants\/acme\/dags\/deep\//u)]);
  });

  it("trees that hold each other ten times are bounded: their tenant stops, the other goes on", async () => {
    const life = await setup();

    const { before, after, findings } = await push(life, (dir) => {
      let oid = rawTree(dir, [{ mode: file, name: Buffer.from("a.yaml"), oid: rawBlob(dir, hello) }]);
      for (let depth = 0; depth < 9; depth += 1) {
        const rows = Array.from({ length: 10 }, (_, n) => ({ mode: "40000", name: Buffer.from(`d${n}`), oid }));
        oid = rawTree(dir, rows);
      }
      return [{ folder: "tenants/acme/files", mode: "40000", name: "bomb", oid }];
    });

    expect(after.beta).not.toBe(before);
    expect(after.hello).toBe(before);
    expect(findings).toEqual([expect.stringContaining("tenants/acme")]);
  });
});

describe("orrery.yaml and the site's own file", () => {
  it.each(["orrery.yaml", "sites/hq.yaml"])(
    "%s as a symlink, or too large, holds the site and changes nothing",
    async (path) => {
      const life = await setup();
      const { dir } = world.spec;
      const { head } = world.spec;
      const before = await hashOf(life, "beta", "hello");
      const [name = "", folder = ""] = path.split("/").reverse();

      for (const entry of [
        { mode: "120000", oid: rawBlob(dir, "elsewhere.yaml") },
        { mode: "40000", oid: rawTree(dir, []) },
        { mode: file, oid: rawBlob(dir, Buffer.alloc(65 << 20, 0x23)) },
      ]) {
        world.spec.move(head);
        const good = { folder: "tenants/beta/dags", mode: file, name: "hello.yaml", oid: rawBlob(dir, changed) };
        commitRaw(world.spec, [good, { folder, name, ...entry }], Math.floor(world.clock.now().getTime() / 1000));

        const pass = await reconcilePass(life);

        expect(pass.stalled?.reason).toMatch(/^(SiteHeld|SiteUnknown|Trust|Object)/u);
        expect(await hashOf(life, "beta", "hello")).toBe(before);
      }
    },
  );
});
