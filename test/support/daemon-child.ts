// A whole daemon as a process of its own, for kill -9: started on the configuration in its first argument, it tells its
// events as JSON lines on stdout. What its second argument names it does not survive: it says so and hangs there.

import type { Config } from "../../src/config/index.ts";
import { startDaemon } from "../../src/daemon/index.ts";
import { type DurableFs, nodeDurableFs } from "../../src/git/index.ts";
import { silentLog } from "./silent-log.ts";

const [configText = "{}", point = ""] = process.argv.slice(2);
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const hang = (): Promise<never> => {
  say({ kind: "point", point });
  return new Promise(() => undefined);
};

const isAuditRef = (path: string): boolean => path.includes("refs/heads/audit/");

// A copy: the original is about to be changed.
const whole: DurableFs = { ...nodeDurableFs };

/** The daemon takes Node's own disk; here one call of it never comes back. */
const traps: Readonly<Record<string, Partial<DurableFs>>> = {
  object_temporary: {
    create: async (path, mode) => {
      const file = await whole.create(path, mode);
      return path.includes("tmp_obj") ? { ...file, sync: hang } : file;
    },
  },
  ref_lock: {
    create: async (path, mode) => {
      const file = await whole.create(path, mode);
      return isAuditRef(path) && path.endsWith(".lock") ? { ...file, write: hang } : file;
    },
  },
  ref_moved: {
    rename: async (from, to) => {
      await whole.rename(from, to);
      if (isAuditRef(to)) await hang();
    },
  },
};

const lines = { ...silentLog, error: (fields: object, message: string) => say({ kind: "log", message, ...fields }) };
const daemon = await startDaemon({
  config: JSON.parse(configText) as Config,
  version: "0.0.0-test",
  log: lines,
  emit: say,
  recorder: { maxWaitMs: 300 },
});
say({ kind: "up", url: daemon.url });
process.stdin.setEncoding("utf8").on("data", (text: string) => {
  // Only from now on: what came before has its own points.
  if (text.includes("arm")) Object.assign(nodeDurableFs, traps[point] ?? {});
});
process.on("SIGTERM", () => void daemon.stop().then(() => process.exit(0)));
