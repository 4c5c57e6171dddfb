import { once } from "node:events";
import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { launchHost } from "../../../src/sandbox/host-process.ts";

const launch = (script: string) =>
  launchHost({ argv: ["/bin/sh", "-c", script], filter: null, workDir: tmpdir(), uid: null });

it("what a killed launcher left behind ends with the control pipe, and its own end is seen at once", async () => {
  const host = launch("cat <&3 & echo $!; wait");
  await once(host.output[0]!, "data");
  const startedMs = performance.now();

  host.kill();
  const end = await host.exited;

  expect(end.signal).toBe("SIGKILL");
  expect(performance.now() - startedMs).toBeLessThan(1500);
});

it("an orphan that holds the pipes holds nobody up", async () => {
  const host = launch("sleep 20 & echo $!; wait");
  const orphan = await new Promise<number>((resolve) => {
    host.output[0]?.once("data", (text: Buffer) => resolve(Number(text.toString())));
  });

  host.kill();
  const end = await host.exited;

  expect(end.signal).toBe("SIGKILL");
  expect(isAlive(orphan)).toBe(true);
  process.kill(orphan, "SIGKILL");
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
