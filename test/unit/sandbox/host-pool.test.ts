import { expect, it } from "vitest";
import type { HostKind } from "../../../src/sandbox/host-argv.ts";
import { HostPool } from "../../../src/sandbox/host-pool.ts";
import type { SandboxHost } from "../../../src/sandbox/sandbox-host.ts";
import type { StepPorts, StepRequest } from "../../../src/sandbox/step-request.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { until } from "../../support/until.ts";

const kind: HostKind = { broker: false, memoryBytes: 128 * 1024 * 1024, scratchBytes: 16 * 1024 * 1024 };
const signal = new AbortController().signal;

/** A host that does every step at once; `given` counts the launched ones that never got a step. */
function fakeHost(binds = true): { readonly host: SandboxHost; readonly wasBound: () => boolean } {
  let isDead = false;
  let bound = false;
  let end = (): void => undefined;
  const gone = new Promise<void>((resolve) => {
    end = resolve;
  });
  // As a real one: its end answers whoever waits for the binding.
  const lost = gone.then(() => ({ kind: "failed", code: "SANDBOX_LOST" }));
  const host = {
    ...{ kind, gone, ready: Promise.resolve(), steps: 1 },
    get isDead() {
      return isDead;
    },
    bind: () => {
      bound = true;
      return binds ? Promise.resolve(null) : lost;
    },
    run: () => Promise.resolve({ result: { kind: "output", text: "{}", cpuMs: 1 }, clean: true }),
    kill: () => {
      isDead = true;
      end();
    },
  };
  return { host: host as unknown as SandboxHost, wasBound: () => bound };
}

const requestOf = (tenant: string): StepRequest =>
  ({
    tenant,
    plugin: { sha256: "00", isolation: "realm", nondeterministic: false, builtins: [] },
    network: [],
    limits: { memoryBytes: kind.memoryBytes, scratchBytes: kind.scratchBytes },
  }) as unknown as StepRequest;

it("keeps the spare that was being launched while another step took a blank: a forgotten host lives for ever", async () => {
  const hosts: ReturnType<typeof fakeHost>[] = [];
  const waiting: (() => void)[] = [];
  let isSlow = false;
  const launch = async (): Promise<SandboxHost> => {
    if (isSlow) await new Promise<void>((resolve) => waiting.push(resolve));
    const fake = fakeHost();
    hosts.push(fake);
    return fake.host;
  };
  const options = { warm: 1, warmKinds: [kind], maxIdle: 4, idleMs: 60_000, maxSteps: 200, startTimeoutMs: 1000 };
  const pool = new HostPool(launch, new FakeClock(), options);
  await pool.open();

  // The first takes the spare, the refill starts to launch the next; the second step comes in the middle of that.
  await pool.run(requestOf("acme"), {} as StepPorts, signal);
  isSlow = true;
  await until(() => waiting.length === 1);
  const second = pool.run(requestOf("borealis"), {} as StepPorts, signal);
  await until(() => waiting.length === 2);
  isSlow = false;
  for (const resolve of waiting) resolve();
  await second;
  await pool.run(requestOf("cygnus"), {} as StepPorts, signal);

  const unused = hosts.filter(({ host, wasBound }) => !host.isDead && !wasBound());
  expect(hosts).toHaveLength(3);
  expect(unused).toHaveLength(0);
  await pool.close();
});

it("kills a host that never answers its binding: the step is lost, not held for ever", async () => {
  const { host } = fakeHost(false);
  const options = { warm: 0, warmKinds: [], maxIdle: 4, idleMs: 60_000, maxSteps: 200, startTimeoutMs: 50 };
  const pool = new HostPool(() => Promise.resolve(host), new FakeClock(), options);
  await pool.open();

  const result = await pool.run(requestOf("acme"), {} as StepPorts, signal);

  expect(result).toMatchObject({ code: "SANDBOX_LOST" });
  await pool.close();
});

it("kills a host in the middle of its binding when the step is cancelled", async () => {
  const { host } = fakeHost(false);
  const cut = new AbortController();
  const options = { warm: 0, warmKinds: [], maxIdle: 4, idleMs: 60_000, maxSteps: 200, startTimeoutMs: 60_000 };
  const pool = new HostPool(() => Promise.resolve(host), new FakeClock(), options);
  await pool.open();

  const running = pool.run(requestOf("acme"), {} as StepPorts, cut.signal);
  await new Promise((resolve) => setImmediate(resolve));
  cut.abort();

  await expect(running).resolves.toMatchObject({ kind: "failed" });
  expect(host.isDead).toBe(true);
  await pool.close();
});
