import { EventEmitter, once } from "node:events";
import { describe, expect, it } from "vitest";
import { createReconciler } from "../../../src/reconciler/index.ts";
import { nodeTrustCrypto } from "../../../src/signer/index.ts";
import { openDaemonWorld, worldSite } from "../../support/daemon-world.ts";
import { reconcilePass } from "../../support/reconcile-pass.ts";
import { dagPath, dagText, logStep, tenantFiles } from "../../support/spec-commits.ts";

const tenants = ["t1", "t2", "t3", "t4"];
const textOf = (message: string): string => dagText({ steps: { hello: logStep(message) } });

describe("the full look that follows a restart", () => {
  it("lets a commit that comes meanwhile pass before the tenants that it has not seen yet", async () => {
    const files = tenants.map((tenant) => ({ ...tenantFiles(tenant), [dagPath(tenant, "hello")]: textOf("before") }));
    await using world = await openDaemonWorld({ files: Object.assign({}, ...files) as Record<string, string> });
    await reconcilePass(await world.live());
    const { plant } = await world.live();
    const seen: string[] = [];
    const looked = new EventEmitter();
    const reconciler = createReconciler(
      {
        ...{ repository: plant.repository, revision: plant.store.revision, crypto: nodeTrustCrypto },
        ...{ clock: plant.clock, log: plant.log, gate: plant.gate, secrets: plant.secrets.sources.states },
        random: () => 0.5,
        recorderKey: () => plant.signer.publicKey.blob,
        compute: {
          decode: async (documents, signal) => {
            const dags = documents.map(({ path }) => path).filter((path) => path.includes("/dags/"));
            if (dags.includes(dagPath("t1", "hello"))) {
              await world.spec.commit({ [dagPath("t4", "hello")]: textOf("after") });
              reconciler.wake();
            }
            seen.push(...dags);
            if (dags.includes(dagPath("t2", "hello"))) looked.emit("t2");
            return plant.compute.decode(documents, signal);
          },
        },
        onPass: ({ applied }) => seen.push(...applied.map((tenant) => `${tenant} applied`)),
      },
      {
        ...{ site: worldSite, specRef: "refs/heads/main", runtime: plant.runtime },
        ...{ pinnedSigners: null, intervalMs: 60_000 },
      },
    );

    const second = once(looked, "t2");
    await reconciler.start();
    await second;
    await reconciler.stop();

    expect(seen.slice(0, 4)).toEqual([
      dagPath("t1", "hello"),
      dagPath("t4", "hello"),
      "t4 applied",
      dagPath("t2", "hello"),
    ]);
  });
});
