// A daemon to kill with -9: opens a sandbox, keeps a step running, tells where and which hosts live.
import { hostProcesses, openSandbox } from "./open-sandbox.ts";

async function main(): Promise<void> {
  const bench = await openSandbox();
  const started = new Promise<void>((resolve) => {
    bench
      .step("(_, ctx) => { ctx.log('info', 'started'); for (;;); }", {
        ports: { log: () => resolve() },
        limits: { timeoutMs: 60_000, cpuTimeMs: 60_000 },
      })
      .catch(() => undefined);
  });
  await started;
  process.stdout.write(`${JSON.stringify({ dir: bench.dir, hosts: await hostProcesses(bench.dir) })}\n`);
}

await main();
