import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

/* The peers live in test/bench/node_modules, apart from the product; their own types are not on the product's path. */

const require = createRequire(path.join(import.meta.dirname, "package.json"));
const load = (name: string): Promise<unknown> => import(pathToFileURL(require.resolve(name)).href);

interface Dbos {
  setConfig(config: object): void;
  registerWorkflow<A extends unknown[], R>(
    work: (...args: A) => Promise<R>,
    config: { name: string },
  ): (...args: A) => Promise<R>;
  runStep<R>(work: () => Promise<R>, config: { name: string }): Promise<R>;
  launch(): Promise<void>;
  shutdown(): Promise<void>;
}

export interface DbosPeer extends AsyncDisposable {
  chain(length: number): Promise<void>;
  fan(width: number): Promise<void>;
}

/** @dbos-inc/dbos-sdk 5.3.0: each step a checkpoint in the same server, fsync on. */
export async function openDbos(url: string): Promise<DbosPeer> {
  const { DBOS } = (await load("@dbos-inc/dbos-sdk")) as { DBOS: Dbos };
  DBOS.setConfig({ name: "bench", systemDatabaseUrl: url, logLevel: "error", runAdminServer: false });
  const step = (name: string): Promise<object> => DBOS.runStep(() => Promise.resolve({ v: 1 }), { name });
  const chain = DBOS.registerWorkflow(
    async (length: number) => {
      for (let i = 0; i < length; i++) await step(`s${i}`);
    },
    { name: "chain" },
  );
  const fan = DBOS.registerWorkflow(
    async (width: number) => {
      await step("a");
      await Promise.all(Array.from({ length: width }, (_, i) => step(`m${i}`)));
      await step("z");
    },
    { name: "fan" },
  );
  await DBOS.launch();
  return { chain: (length) => chain(length), fan: (width) => fan(width), [Symbol.asyncDispose]: () => DBOS.shutdown() };
}

interface Boss {
  on(event: string, listener: (error: unknown) => void): void;
  start(): Promise<unknown>;
  stop(options: object): Promise<void>;
  createQueue(name: string): Promise<void>;
  insert(jobs: readonly object[]): Promise<void>;
  work(name: string, options: object, handler: (jobs: readonly object[]) => Promise<void>): Promise<string>;
}

export interface PgBossPeer extends AsyncDisposable {
  /** Inserts `jobs` and resolves when a worker has done all. */
  run(jobs: number): Promise<void>;
}

/** pg-boss 10.4.2: single jobs, batches of 50 by one worker. */
export async function openPgBoss(url: string): Promise<PgBossPeer> {
  const loaded = (await load("pg-boss")) as { default: new (url: string) => Boss };
  const boss = new loaded.default(url);
  boss.on("error", (error) => console.error(error));
  await boss.start();
  await boss.createQueue("bench");
  let done = 0;
  let wanted: { readonly count: number; readonly resolve: () => void } | null = null;
  await boss.work("bench", { batchSize: 50, pollingIntervalSeconds: 0.5 }, (jobs) => {
    done += jobs.length;
    if (wanted !== null && done >= wanted.count) wanted.resolve();
    return Promise.resolve();
  });
  return {
    run: async (jobs) => {
      const ended = new Promise<void>((resolve) => {
        wanted = { count: done + jobs, resolve };
      });
      await boss.insert(Array.from({ length: jobs }, () => ({ name: "bench", data: {} })));
      await ended;
    },
    [Symbol.asyncDispose]: () => boss.stop({ graceful: false, wait: false }),
  };
}
