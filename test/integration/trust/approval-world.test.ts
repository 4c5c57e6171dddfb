import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { sha256 } from "../../../src/base/node-digest.ts";
import { approvalBase } from "../../../src/cli/trust/approval-base.ts";
import { readTrust } from "../../../src/cli/trust/repository-trust.ts";
import { planHashBetween, writeApproval } from "../../../src/cli/trust/write-approval.ts";
import { openRepository, toOid } from "../../../src/git/index.ts";
import { signSshsig } from "../../../src/signer/index.ts";
import { fingerprintOf, publicKeyLine } from "../../../src/trust/index.ts";
import { specKey, testKey } from "../../support/audit-fixtures.ts";
import { type DaemonLife, type DaemonWorld, never, openDaemonWorld } from "../../support/daemon-world.ts";
import { reconcilePass } from "../../support/reconcile-pass.ts";
import { dagPath, dagText, logStep, tenantFiles } from "../../support/spec-commits.ts";

const sif = testKey(7);
const hello = dagText({ steps: { hello: logStep() } });
const changed = dagText({ steps: { hello: logStep("changed") } });
const rules = `apiVersion: orrery/v1
kind: Repository
spec:
  trust:
    groups: { guards: [ana@acme.example, sif@acme.example] }
    paths:
      - { match: "tenants/*/dags/**", by: guards, approvals: 1 }
      - { match: "**", by: everyone }
  brakes: { prunePercent: 100 }
`;
const signers =
  `ana@acme.example namespaces="git,orrery-approval" ${publicKeyLine(specKey.blob)}\n` +
  `sif@acme.example namespaces="git,orrery-approval" ${publicKeyLine(sif.blob)}\n`;

let world: DaemonWorld | null = null;
afterEach(async () => {
  await world?.[Symbol.asyncDispose]();
  world = null;
});

async function setup(): Promise<{ readonly world: DaemonWorld; readonly life: DaemonLife }> {
  const files = { ...tenantFiles("acme"), [dagPath("acme", "hello")]: hello };
  world = await openDaemonWorld({ files: { ...files, "orrery.yaml": rules, "keys/spec_signers": signers } });
  return { world, life: await world.live() };
}

/** As `orrery approve main` does it, with this key. */
async function approveHead({ spec }: DaemonWorld, key = sif): Promise<string> {
  using repository = openRepository(spec.dir);
  const head = toOid(spec.head);
  const trust = readTrust(repository, head, undefined);
  const base = approvalBase(repository, trust, head);
  const planHash = planHashBetween(repository, trust.reader, base, head);
  const statement = { planHash, base, head, verdict: "approve", reason: "looked at it" } as const;
  const { ref } = await writeApproval(repository, statement, (namespace, message) =>
    Promise.resolve(signSshsig(key, namespace, message)),
  );
  return ref.split("/").at(-1) ?? "";
}

interface Approved {
  readonly kind: string;
  readonly to?: string;
  readonly policyRevision?: string;
  readonly approvals?: readonly { readonly approver: string; readonly sha256: string; readonly key: string }[];
}

describe("a commit that needs an approval", () => {
  it("waits by name; the approval that arrives wakes the reconciler; its records name who approved", async () => {
    const { world: here, life } = await setup();
    await life.start("recorder", "worker", "reconciler", "watcher");
    await life.applied(here.spec.head);
    const commit = await here.spec.commit({ [dagPath("acme", "hello")]: changed });
    await life.event((event) => event.kind === "pass" && event.result.stalled?.reason === "ApprovalsMissing");
    expect(life.view.status().reasons[0]?.message).toMatch(/orrery.yaml:7 wants 1 of guards \(ana@.*, sif@/);

    const sha = await approveHead(here);
    await life.applied(commit);
    const run = await life.run("acme", "hello");
    await life.settled(run);
    await life.engines.recorder.flush(never);

    const wanted = [{ approver: "sif@acme.example", sha256: sha, key: fingerprintOf(sif.blob, sha256) }];
    const [site] = (await here.records<Approved>("_site")).filter(({ to }) => to === commit);
    const records = await here.records<Approved>("acme");
    expect(site?.approvals).toMatchObject(wanted);
    expect(records.find(({ to }) => to === commit)?.approvals).toMatchObject(wanted);
    expect(records.find(({ kind }) => kind === "run")).toMatchObject({ policyRevision: commit, approvals: wanted });
    expect(here.verify().findings).toEqual([]);
  });

  it("is not let in by its author's own approval", async () => {
    const { world: here, life } = await setup();
    await reconcilePass(life);
    const good = here.spec.head;
    await here.spec.commit({ [dagPath("acme", "hello")]: changed });
    await approveHead(here, specKey);

    expect(await reconcilePass(life)).toMatchObject({ revision: good, stalled: { reason: "ApprovalsMissing" } });
  });
});

describe("accept-history", () => {
  const order = { reason: "restored from a backup", ticket: "INC-8", subject: "omar@hq.example" };

  it("leads past a fork from the commit it names, judges what follows, and is on record", async () => {
    const { world: here, life } = await setup();
    await reconcilePass(life);
    const base = here.spec.head;
    const lost = await here.spec.commit({ "docs/a.md": "a" });
    await reconcilePass(life);
    const fork = await here.spec.commit({ "docs/a.md": null, "docs/b.md": "b" }, { parent: base });
    expect((await reconcilePass(life)).stalled?.reason).toBe("TrustRewind");

    const accepted = await life.engines.history.accept({ ...order, to: base });
    const pass = await reconcilePass(life);
    await life.engines.recorder.flush(never);

    expect(accepted).toEqual({ from: lost, to: base });
    expect(pass).toMatchObject({ revision: fork, stalled: null });
    expect((await here.records<Record<string, unknown>>("_site")).find(({ kind }) => kind === "control")).toMatchObject(
      {
        ...{ verb: "accept_history", target: `history/${lost}..${base}`, ticket: "INC-8" },
        actor: { kind: "user", subject: "omar@hq.example" },
      },
    );
    expect(here.verify().findings).toEqual([]);
  });

  it("leads past a repository that was restored from before what was verified", async () => {
    const { world: here, life } = await setup();
    await reconcilePass(life);
    const base = here.spec.head;
    const lost = await here.spec.commit({ "docs/a.md": "a" });
    await reconcilePass(life);
    here.spec.move(base);
    using repository = openRepository(here.spec.dir);
    rmSync(join(repository.gitDir, "objects", lost.slice(0, 2), lost.slice(2)));
    const next = await here.live();

    expect((await reconcilePass(next)).stalled).toMatchObject({
      reason: "TrustRewind",
      message: expect.stringContaining("push") as string,
    });
    expect(await next.engines.history.accept({ ...order, to: base })).toEqual({ from: lost, to: base });
    expect(await reconcilePass(next)).toMatchObject({ revision: base, stalled: null });
  });

  it("is no way round a rule: refused while the branch descends, and for a commit that is not on it", async () => {
    const { world: here, life } = await setup();
    await reconcilePass(life);
    const base = here.spec.head;
    const waiting = await here.spec.commit({ [dagPath("acme", "hello")]: changed });
    await expect(life.engines.history.accept({ ...order, to: waiting })).rejects.toThrow("descends from the verified");

    here.spec.move(base);
    const ahead = await here.spec.commit({ "docs/a.md": "a", [dagPath("acme", "hello")]: hello }, { parent: base });
    await reconcilePass(life);
    await here.spec.commit({ "docs/b.md": "b" }, { parent: base });
    await expect(life.engines.history.accept({ ...order, to: ahead })).rejects.toThrow("is not on refs/heads/main");
  });
});
