import type { BenchServer } from "./bench-server.ts";
import { chain, fan, noHosts, noopStep, openEngine } from "./engine.ts";
import { pairs, type Row } from "./measure.ts";
import { openDbos, openPgBoss } from "./peers.ts";

const inMemory = "steps do nothing and run in this process on both sides: the engines alone";

/** Engine against engine on one server: durable steps, durable runs. */
export async function queueRows(server: BenchServer): Promise<readonly Row[]> {
  await using engine = await openEngine(server, noHosts);
  await engine.apply("chain", chain(40));
  await engine.apply("fan", fan(100));
  await engine.apply("single", { only: { ...noopStep } });
  await using dbos = await openDbos(await server.peerUrl("dbos"));
  await engine.run("chain", 1);
  await dbos.chain(40);
  const [chainMs, dbosChainMs] = await pairs(
    7,
    () => engine.run("chain", 1),
    () => dbos.chain(40),
  );
  const [fanMs, dbosFanMs] = await pairs(
    7,
    () => engine.run("fan", 1),
    () => dbos.fan(100),
  );
  await using boss = await openPgBoss(await server.peerUrl("pgboss"));
  await boss.run(50);
  const runs = 1000;
  const [singleMs, bossMs] = await pairs(
    3,
    () => engine.run("single", runs),
    () => boss.run(runs),
  );
  return [
    {
      what: "40 sequential steps",
      ours: chainMs,
      unit: "ms",
      beside: { name: "dbos 5.3.0", value: dbosChainMs },
      note: inMemory,
    },
    {
      what: "1-100-1 fan-out",
      ours: fanMs,
      unit: "ms",
      beside: { name: "dbos 5.3.0", value: dbosFanMs },
      note: inMemory,
    },
    {
      what: `${runs} single-step runs`,
      ours: singleMs,
      unit: "ms",
      beside: { name: "pg-boss 10.4.2", value: bossMs },
      note: "ours keep inputs, output hash, attempt row, run row and record body; jobs keep none",
    },
  ];
}
