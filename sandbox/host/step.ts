import { readFileSync } from "node:fs";
import { Script } from "node:vm";
import { type MessagePort, workerData } from "node:worker_threads";
import { compilePlugin } from "./compile-code.ts";
import type { FetchPort } from "./fetch-port.ts";
import { runInThread } from "./host-run.ts";
import { type RealmParts, runInRealm } from "./realm-run.ts";
import { describeThrown } from "./step-error.ts";
import type { StepEnvelope, StepTask, StepUp, ThreadPlugin } from "./step-message.ts";

interface StepOrder {
  readonly task: StepTask;
  readonly port: MessagePort;
}

let realmParts: RealmParts | null = null;

/**
 * The thread's entry, called by piscina. It imports no plugin at load: a thread that fails while it starts would
 * spoil the pool. It never rejects: a thrown null would count as success there.
 */
export default async function runStep({ task, port }: StepOrder): Promise<void> {
  const plugin = pluginOf();
  try {
    if (plugin.isolation === "host") {
      network(plugin);
      await runInThread(plugin, task, port);
    } else {
      realmParts ??= partsOf(plugin);
      await runInRealm(realmParts, task, port);
    }
  } catch (thrown) {
    const message: StepUp = { t: "end", text: null, error: describeThrown(thrown) };
    port.postMessage({ message, bytes: null } satisfies StepEnvelope<StepUp>);
  } finally {
    port.close();
  }
}

function pluginOf(): ThreadPlugin {
  // piscina wraps: [its own data, ours].
  const given = workerData as unknown;
  return (Array.isArray(given) ? given[1] : given) as ThreadPlugin;
}

function partsOf(plugin: ThreadPlugin): RealmParts {
  return {
    facade: new Script(readFileSync(plugin.facadePath, "utf8"), { filename: "facade.js" }),
    plugin: compilePlugin(plugin.text, plugin.name),
    nondeterministic: plugin.nondeterministic,
    network: network(plugin),
  };
}

/** undici costs tens of milliseconds to load: only where a broker waits. */
function network(plugin: ThreadPlugin): FetchPort | null {
  if (plugin.brokerSocket === null) return null;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- its own bundle, loaded on demand
  const egress = require(plugin.egressPath) as { openEgress(socketPath: string): FetchPort };
  return egress.openEgress(plugin.brokerSocket);
}
