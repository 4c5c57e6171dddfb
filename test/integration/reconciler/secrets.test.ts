import { afterEach, describe, expect, it } from "vitest";
import { ageKeyFileOf, encryptAge, ensureSiteIdentity, storeSecretFile } from "../../../src/secret/index.ts";
import { type DaemonLife, type DaemonWorld, openDaemonWorld } from "../../support/daemon-world.ts";
import { reconcilePass } from "../../support/reconcile-pass.ts";
import { dagPath, dagText, type FileChanges, tenantFiles } from "../../support/spec-commits.ts";

const text = "var plugin = { default: { run: () => ({}) } };\n";
const allowlist = {
  plugins: [{ name: "*", versions: ["1.x"] }],
  secrets: [{ name: "notify_token", for: ["acme.*"] }],
};
const document = (kind: string, spec: object): string =>
  `apiVersion: orrery/v1\nkind: ${kind}\nspec: ${JSON.stringify(spec)}\n`;

async function filesOf(): Promise<FileChanges> {
  const { createHash } = await import("node:crypto");
  const sha256 = createHash("sha256").update(text).digest("hex");
  const manifest = {
    ...{ service: "acme", emits: "raw", sha256 },
    input: { type: "object" },
    output: { type: "object" },
  };
  const dir = "tenants/acme/plugins/acme.send/1.0.0";
  const step = { uses: "acme.send@1.0.0", with: {}, secrets: { token: "notify_token" } };
  return {
    ...tenantFiles("acme"),
    "tenants/acme/allowlist.yaml": document("Allowlist", allowlist),
    [`${dir}/plugin.js`]: text,
    [`${dir}/plugin.yaml`]: document("Plugin", { ...manifest, needs: { secrets: ["token"] } }),
    [dagPath("acme", "send")]: dagText({ steps: { send: step } }),
  };
}

let world: DaemonWorld;
afterEach(() => world[Symbol.asyncDispose]());

async function setup(): Promise<DaemonLife> {
  world = await openDaemonWorld({ files: await filesOf() });
  return await world.live();
}

const stateOf = async (life: DaemonLife) => {
  const dag = await life.plant.store.ledger.getDag("acme", "send");
  const ready = dag?.conditions.find(({ type }) => type === "Ready");
  return { armed: dag?.armed, reason: ready?.reason, said: ready?.message };
};

describe("a DAG whose step names a secret", () => {
  it("is not armed while the site has no value, and is by the next full pass after one was set", async () => {
    const life = await setup();

    await reconcilePass(life);
    const before = await stateOf(life);
    storeSecretFile(life.plant.config.dataDir, { tenant: "acme", name: "notify_token" }, "canary-7f3a9c");
    await reconcilePass(life, { full: true });
    const after = await stateOf(life);
    const again = await reconcilePass(life, { full: true });

    expect(before).toMatchObject({ armed: false, reason: "NotAllowed" });
    expect(before.said).toContain("notify_token has no value on this site");
    expect(after).toMatchObject({ armed: true });
    expect(again.applied).toEqual([]);
    expect(await life.run("acme", "send")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("is armed by an age file for this site, whose ciphertext is pinned, and not by one for another", async () => {
    const life = await setup();
    const path = "tenants/acme/secrets/notify_token.age";
    const { recipient } = await ensureSiteIdentity(ageKeyFileOf(life.plant.config.dataDir));
    const foreign = "age1qp7qtuwxc87mqpf52mq3hzf2zw2entrdst0tw7vsuf3ped8ztdqqrpegpm";

    await world.spec.commit({ [path]: await encryptAge("canary-7f3a9c", [foreign]) });
    await reconcilePass(life);
    const others = await stateOf(life);
    await world.spec.commit({ [path]: await encryptAge("canary-7f3a9c", [foreign, recipient]) });
    await reconcilePass(life);
    const ours = await stateOf(life);

    expect(others).toMatchObject({ armed: false });
    expect(others.said).toContain("not encrypted to this site's recipient");
    expect(ours).toMatchObject({ armed: true });
    const { snapshot } = await life.plant.store.revision.observeTenant("acme");
    const [pinned] = snapshot?.secrets ?? [];
    expect(pinned?.name).toBe("notify_token");
    expect(
      Buffer.from((await life.plant.store.revision.readBlob("acme", pinned?.sha256 ?? "")) ?? []).toString(),
    ).toContain("BEGIN AGE ENCRYPTED FILE");
  });

  it("a plaintext file in secrets/ is named, never taken for a value", async () => {
    const life = await setup();

    await world.spec.commit({ "tenants/acme/secrets/notify_token": "canary-7f3a9c" });
    const pass = await reconcilePass(life);

    const [finding] = pass.plan.findings.filter(({ code }) => code === "SECRET_FILE");
    expect(finding).toMatchObject({ severity: "error", path: "tenants/acme/secrets/notify_token" });
    expect(JSON.stringify(finding)).not.toContain("canary");
    expect(await stateOf(life)).toMatchObject({ armed: false });
  });
});
