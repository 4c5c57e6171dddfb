import { DesiredReader, type PassResult } from "../../src/reconciler/index.ts";
import { ObservedTenants } from "../../src/reconciler/read/observed-tenants.ts";
import { reconcileOnce } from "../../src/reconciler/reconcile-once.ts";
import { nodeTrustCrypto } from "../../src/signer/index.ts";
import { type DaemonLife, never, worldSite } from "./daemon-world.ts";

export interface PassOptions {
  readonly full?: boolean;
  /** What the daemon's signer answers; default = the world's key. */
  readonly recorderKey?: Uint8Array;
  /** What is known of tenants from passes before; default = nothing. */
  readonly observed?: ObservedTenants;
  readonly site?: string;
  readonly specRef?: string;
}

/** One pass of the reconciler of this life, without its loop. */
export async function reconcilePass(life: DaemonLife, options: PassOptions = {}): Promise<PassResult> {
  const { plant } = life;
  const { repository, compute, store, clock, log, gate, signer, runtime } = plant;
  const room = {
    deps: {
      ...{ repository, compute, revision: store.revision, crypto: nodeTrustCrypto, clock, log, gate },
      secrets: plant.secrets.sources.states,
      random: () => 0.5,
      recorderKey: () => options.recorderKey ?? signer.publicKey.blob,
      onPass: () => undefined,
    },
    options: {
      ...{ runtime, pinnedSigners: null, intervalMs: 60_000 },
      site: options.site ?? worldSite,
      specRef: options.specRef ?? "refs/heads/main",
    },
    reader: new DesiredReader(repository, compute, plant.secrets.sources.states),
    observed: options.observed ?? new ObservedTenants(store.revision),
  };
  const pass = await reconcileOnce(room, () => options.full ?? false, never);
  life.view.takePass(pass);
  return pass;
}
