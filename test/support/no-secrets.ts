import type { WorkerDeps } from "../../src/worker/index.ts";

/** A site that has no value of any secret. */
export const noSecrets: WorkerDeps["secrets"] = {
  levelFits: true,
  find: () => Promise.resolve({ kind: "absent" }),
  lend: () => () => undefined,
};
