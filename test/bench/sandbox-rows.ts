import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Piscina } from "piscina";
import { systemClock } from "../../src/base/index.ts";
import { sha256Hex } from "../../src/base/node-digest.ts";
import { createSandboxHosts, type SandboxHosts, type StepPorts, type StepRequest } from "../../src/sandbox/index.ts";
import { silentLog } from "../support/silent-log.ts";
import { noopPlugin } from "./engine.ts";
import { median, type Row, timeMs } from "./measure.ts";

const bytes = Buffer.from(noopPlugin);
const sha256 = sha256Hex(bytes);
const steps = 200;

/** What the wall costs: no-op steps through the sandbox against the same function in a bare piscina of equal width. */
export async function sandboxRows(): Promise<readonly Row[]> {
  const scratch = mkdtempSync("/tmp/orrery-bench-");
  // As root the hosts are users of their own, who must pass.
  chmodSync(scratch, 0o711);
  const hosts = await createSandboxHosts(
    { clock: systemClock, log: silentLog, random: (count) => randomBytes(count) },
    { hosts: 2, warm: 2, socketDir: scratch, stateDir: scratch, minLevel: "process", uidsBase: 61001 },
  );
  await hosts.start();
  const file = path.join(scratch, "noop.cjs");
  writeFileSync(file, "module.exports = () => ({ v: 1 });");
  const bare = new Piscina({ filename: file, minThreads: 2, maxThreads: 2 });
  try {
    const coldMs = await timeMs(() => hosts.run(request(`${sha256.slice(1)}0`), ports, never()));
    await Promise.all([hosts.run(request(), ports, never()), hosts.run(request(), ports, never())]);
    await bare.run({});
    const warm = [];
    for (let i = 0; i < 30; i++) warm.push(await timeMs(() => hosts.run(request(), ports, never())));
    const oursMs = await timeMs(() =>
      Promise.all(Array.from({ length: steps }, () => hosts.run(request(), ports, never()))),
    );
    const bareMs = await timeMs(() => Promise.all(Array.from({ length: steps }, () => bare.run({}))));
    const neighbours = await neighbourSteps(hosts);
    const note = `level ${hosts.level}, 2 hosts, fresh realm a step`;
    return [
      {
        what: "no-op steps through the sandbox",
        ours: (steps / oursMs) * 1000,
        unit: "steps/s",
        beside: { name: "bare piscina", value: (steps / bareMs) * 1000 },
        note,
      },
      { what: "one no-op step, warm key", ours: median(warm), unit: "ms", beside: null, note },
      {
        what: "one step, cold key (blank host bound)",
        ours: coldMs,
        unit: "ms",
        beside: { name: "warm key", value: median(warm) },
        note,
      },
      {
        what: "another tenant's step while one loops for ever",
        ours: neighbours.besideLoop,
        unit: "ms",
        beside: { name: "alone", value: neighbours.alone },
        note: "goal of issue 10: less than 20 % more",
      },
    ];
  } finally {
    await hosts.stop();
    await bare.destroy();
    rmSync(scratch, { recursive: true, force: true });
  }
}

const samples = 40;

/** Medians of interleaved rounds: a tenant's no-op step alone, and while another tenant's step burns its thread. */
async function neighbourSteps(
  hosts: Pick<SandboxHosts, "run">,
): Promise<{ readonly alone: number; readonly besideLoop: number }> {
  const times: { readonly alone: number[]; readonly besideLoop: number[] } = { alone: [], besideLoop: [] };
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < samples / 4; i++) times.alone.push(await timeMs(() => hosts.run(request(), ports, never())));
    const stop = new AbortController();
    const looping = hosts.run(loopRequest(), ports, stop.signal);
    for (let i = 0; i < samples / 4; i++)
      times.besideLoop.push(await timeMs(() => hosts.run(request(), ports, never())));
    stop.abort();
    await looping;
  }
  return { alone: median(times.alone), besideLoop: median(times.besideLoop) };
}

function loopRequest(): StepRequest {
  const bytes = Buffer.from("var plugin = { default: { run: () => { for (;;) {} } } };");
  const base = request();
  return { ...base, tenant: "hostile", plugin: { ...base.plugin, bytes, sha256: sha256Hex(bytes) } };
}

/** One a step, as the worker gives them. */
const never = (): AbortSignal => new AbortController().signal;

function request(digest?: string): StepRequest {
  const plugin = digest === undefined ? { bytes, sha256 } : otherPlugin();
  return {
    ...{
      tenant: "bench",
      dagId: "noop",
      runId: "01900000-0000-7000-8000-000000000000",
      stepId: "only",
      index: 0,
      attempt: 1,
    },
    ...{
      idempotencyKey: "0".repeat(64),
      traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01`,
      now: "2026-11-24T00:00:00.000Z",
      seed: "3".repeat(64),
    },
    plugin: {
      name: "test.noop",
      version: "1.0.0",
      isolation: "realm",
      nondeterministic: false,
      builtins: [],
      ...plugin,
    },
    ...{ code: null, withText: "{}", files: [], readable: [], network: [], secrets: {} },
    limits: {
      memoryBytes: 128 * 2 ** 20,
      cpuTimeMs: 60_000,
      scratchBytes: 16 * 2 ** 20,
      timeoutMs: 60_000,
      outputBytes: 2 ** 20,
    },
  };
}

/** Other bytes are another key: a blank host is bound for them. */
function otherPlugin(): { readonly bytes: Uint8Array; readonly sha256: string } {
  const other = Buffer.from(`${noopPlugin}//`);
  return { bytes: other, sha256: sha256Hex(other) };
}

const ports: StepPorts = {
  readFile: () => emptyStream(),
  readArtifact: () => emptyStream(),
  writeArtifact: () => Promise.reject(new Error("no artifact in a bench")),
  log: () => undefined,
  decideEgress: () => "deny",
  egress: () => undefined,
};

async function* emptyStream(): AsyncIterable<Uint8Array> {
  // Nothing to read.
}
