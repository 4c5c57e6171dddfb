import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { buildSandbox } from "../../../scripts/build-sandbox.ts";
import { hostProcesses, openSandbox, outcome, stepRequest } from "../../hostile/sandbox/open-sandbox.ts";

const bench = await openSandbox({ hosts: 3 });
const { level, reason } = bench.hosts.facts;
const isConfined = level === "confined" || level === "sealed";
afterAll(() => bench[Symbol.asyncDispose]());

const pidOf = `() => ({ pid: 0 })`;

async function drained(bytes: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const chunk of bytes) length += chunk.length;
  return length;
}

describe(`sandbox hosts at level ${level}`, () => {
  it("gives a step its input, its context and its declared files and artifacts", async () => {
    const run = `async (input, ctx) => {
      const read = new TextDecoder().decode(await ctx.files.read("data/a.json"));
      const artifact = new TextDecoder().decode(await ctx.artifacts.read({ artifact: "${"d".repeat(64)}" }));
      const parts = []; for await (const part of ctx.files.stream("data/a.json")) parts.push(part.length);
      const reference = await ctx.artifacts.write(new TextEncoder().encode("content"), "text/plain");
      ctx.log("warn", "seen", { n: 1 });
      return { input, read, artifact, parts, reference, listed: ctx.files.list(), tenant: ctx.tenant, attempt: ctx.attempt,
        key: ctx.idempotencyKey, now: ctx.now, frozen: Object.isFrozen(ctx), wallClock: typeof ctx.wallClock };
    }`;

    const result = await bench.step(run, { with: { a: [1, "é"] } });

    expect(outcome(result)).toEqual({
      input: { a: [1, "é"] },
      read: "file data/a.json",
      artifact: `artifact ${"d".repeat(64)}`,
      parts: [16],
      reference: { artifact: createHash("sha256").update("content").digest("hex"), bytes: 7, mediaType: "text/plain" },
      listed: [{ path: "data/a.json", sha256: "c".repeat(64), bytes: 16 }],
      tenant: "acme",
      attempt: 1,
      key: "a".repeat(64),
      now: "2026-01-02T03:04:05.678Z",
      frozen: true,
      wallClock: "undefined",
    });
    expect([...bench.written.values()].map(String)).toContain("content");
    expect(bench.logs).toContainEqual({ level: "warn", message: "seen", fields: '{"n":1}' });
  });

  it("carries 3 MB in pieces both ways, and an output over a frame", async () => {
    const big = Buffer.alloc(3_000_000, 7);
    const run = `async (_, ctx) => { const bytes = await ctx.files.read("data/a.json");
      async function* parts() { for (let at = 0; at < bytes.length; at += 700001) yield bytes.subarray(at, at + 700001); }
      return { reference: await ctx.artifacts.write(parts(), "application/octet-stream"), text: "é".repeat(300000) }; }`;

    const result = await bench.step(run, {
      ports: {
        readFile: async function* () {
          yield await Promise.resolve(big);
        },
      },
    });

    const { reference, text } = outcome(result) as { reference: { artifact: string }; text: string };
    expect(bench.written.get(reference.artifact)?.equals(big)).toBe(true);
    expect(text.length).toBe(300_000);
  });

  it.each([
    ["a file that is not declared", `ctx.files.read("../../etc/passwd")`],
    ["an artifact whose reference is not in with", `ctx.artifacts.read({ artifact: "${"e".repeat(64)}" })`],
  ])("refuses %s before a port is asked", async (_name, call) => {
    let asked = 0;
    const never = () => {
      asked++;
      throw new Error("asked");
    };

    const result = await bench.step(`async (_, ctx) => ({ bytes: (await ${call}).length })`, {
      ports: { readFile: never, readArtifact: never },
    });

    expect(outcome(result)).toBe("policy/SANDBOX_DENIED");
    expect(asked).toBe(0);
  });

  it("hands a store's refusal to the step with its code", async () => {
    const result = await bench.step(`async (_, ctx) => ({ r: await ctx.artifacts.write("x", "text/plain") })`, {
      ports: {
        writeArtifact: async (bytes) => {
          await drained(bytes);
          throw new Error("disk");
        },
      },
    });

    expect(outcome(result)).toBe("permanent/ARTIFACT_MISSING");
  });

  it("ends open ports when a step ends in the middle of an artifact", async () => {
    let failure: unknown = null;

    await bench.step(
      `(_, ctx) => { ctx.artifacts.write((async function* () { yield new Uint8Array(1); await new Promise(() => {}); })(), "text/plain");
        return new Promise((r) => setTimeout(() => r({}), 100)); }`,
      {
        ports: {
          writeArtifact: async (bytes) => {
            try {
              await drained(bytes);
            } catch (error) {
              failure = error;
              throw error;
            }
            throw new Error("whole");
          },
        },
      },
    );

    expect(failure).toMatchObject({ code: "SANDBOX_LOST" });
  });

  it("tells the same time and chance to two executions of one step, and others to another step", async () => {
    const run = `async () => ({ date: new Date().toISOString(), ms: Date.now(), text: String(Date()).slice(0, 15), perf: performance.now(), random: [Math.random(), Math.random()],
      uuid: crypto.randomUUID(), bytes: Array.from(crypto.getRandomValues(new Uint8Array(4))), zone: new Date(0).getTimezoneOffset(),
      tz: new Intl.DateTimeFormat().resolvedOptions().timeZone, locale: (1234.5).toLocaleString(), ctor: new (new Date(0).constructor)().getTime() })`;

    const first = outcome(await bench.step(run)) as Record<string, unknown>;
    const second = outcome(await bench.step(run, { request: { attempt: 2 } }));
    const inHost = outcome(await bench.step(run, { isolation: "host" })) as Record<string, unknown>;
    const other = outcome(await bench.step(run, { request: { stepId: "other" } })) as Record<string, unknown>;

    expect(second).toEqual(first);
    expect(inHost).toEqual(first);
    expect(other["random"]).not.toEqual(first["random"]);
    expect(first).toMatchObject({
      date: "2026-01-02T03:04:05.678Z",
      ms: Date.parse("2026-01-02T03:04:05.678Z"),
      text: "Fri Jan 02 2026",
      perf: 0,
      zone: 0,
      tz: "UTC",
      locale: "1,234.5",
    });
  });

  it("gives the machine's clock and chance to a plugin that says so", async () => {
    const run = `() => ({ ms: Date.now(), uuid: crypto.randomUUID() })`;

    const first = outcome(await bench.step(run, { nondeterministic: true })) as { ms: number; uuid: string };
    const second = outcome(await bench.step(run, { nondeterministic: true })) as { ms: number; uuid: string };

    expect(Math.abs(first.ms - Date.now())).toBeLessThan(60_000);
    expect(second.uuid).not.toBe(first.uuid);
  });

  it("has the web's own globals in a realm", async () => {
    const run = `async () => {
      const url = new URL("../b?x=1#h", "https://u:p@Example.com:8443/a/c"); url.searchParams.append("y", "a b&é"); url.port = "443";
      const params = new URLSearchParams("?a=1&b=%C3%A9+x&a=2"); params.sort();
      const text = "Ā𝄞é"; const bytes = new TextEncoder().encode(text); const decoder = new TextDecoder();
      const streamed = decoder.decode(bytes.subarray(0, 4), { stream: true }) + decoder.decode(bytes.subarray(4));
      const controller = new AbortController(); let aborted = 0; controller.signal.addEventListener("abort", () => aborted++); controller.abort(); controller.abort();
      const cyclic = { m: new Map([[1, new Set([2])]]), d: new Date(5), u: new Uint8Array([1, 2]) }; cyclic.self = cyclic; const copy = structuredClone(cyclic);
      let fatal; try { new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([0xff])) } catch (e) { fatal = e.name }
      const digest = Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode("abc"))), (b) => b.toString(16).padStart(2, "0")).join("");
      const order = []; queueMicrotask(() => order.push("micro")); await new Promise((r) => setTimeout(() => { order.push("timer"); r() }, 1)); let ticks = 0;
      await new Promise((r) => { const id = setInterval(() => { if (++ticks === 3) { clearInterval(id); r() } }, 1) });
      return { url: url.href, origin: url.origin, params: String(params), b: params.get("b"), streamed: streamed === text, aborted, reason: controller.signal.reason.name,
        copy: [copy !== cyclic, copy.self === copy, copy.m.get(1).has(2), copy.d.getTime(), copy.u[1]], fatal, digest, order, ticks,
        base64: atob(btoa("any carnal pleas")), self: self === globalThis, bad: URL.canParse("no") } }`;

    expect(outcome(await bench.step(run))).toEqual({
      url: "https://u:p@example.com/b?x=1&y=a+b%26%C3%A9#h",
      origin: "https://example.com",
      params: "a=1&a=2&b=%C3%A9+x",
      b: "é x",
      streamed: true,
      aborted: 1,
      reason: "AbortError",
      copy: [true, true, true, 5, 2],
      fatal: "TypeError",
      digest: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      order: ["micro", "timer"],
      ticks: 3,
      base64: "any carnal pleas",
      self: true,
      bad: false,
    });
  });

  it("compiles core.js's code as the one expression that it is", async () => {
    const text = "var plugin = { default: { run: (input, ctx) => ctx.code(input, ctx) } };";
    const run = async (code: string) => outcome(await bench.step("", { text, with: { n: 2 }, request: { code } }));

    expect(await run("({ n }, ctx) => ({ twice: n * 2, tenant: ctx.tenant }) // end")).toEqual({
      twice: 4,
      tenant: "acme",
    });
    expect(await run("0); globalThis.x = 1; (() => ({})")).toBe("permanent/STEP_FAILED");
    expect(await run("() => import('fs')")).toBe("policy/SANDBOX_DENIED");
  });

  it("gives a host-isolated step the built-ins that it declares and no others", async () => {
    const run = `() => { let other; try { require("child_process") } catch (e) { other = e.code } return { join: require("node:path").join("a", "b"), other } }`;

    expect(outcome(await bench.step(run, { isolation: "host", builtins: ["path"] }))).toEqual({
      join: "a/b",
      other: "SANDBOX_DENIED",
    });
  });

  it("marks a failure transient where the plugin says so", async () => {
    const result = await bench.step(`() => { throw Object.assign(new Error("later"), { transient: true }) }`);

    expect(result).toMatchObject({ kind: "failed", class: "transient", code: "STEP_FAILED", message: "later" });
  });

  it("aborts the step's signal before its timeout ends it", async () => {
    const run = `(_, ctx) => new Promise((resolve) => ctx.signal.addEventListener("abort", () => resolve({ told: true })))`;

    expect(outcome(await bench.step(run, { limits: { timeoutMs: 1500 } }))).toEqual({ told: true });
  });

  it("refuses plugin bytes that are not those of their hash", async () => {
    const request = stepRequest("() => ({})");
    const other = Buffer.concat([Buffer.from(request.plugin.bytes), Buffer.from(" ")]);

    const result = await bench.step("", { request: { plugin: { ...request.plugin, bytes: other } } });

    expect(outcome(result)).toBe("poison/SANDBOX_PROTOCOL");
  });

  it("cancels a running step at once when its signal aborts, and one that waits for its turn", async () => {
    const abort = new AbortController();
    const forever = Array.from({ length: 5 }, () =>
      bench.step("() => new Promise(() => {})", { signal: abort.signal }),
    );

    setImmediate(() => abort.abort(new Error("cancelled")));
    const results = await Promise.all(forever);

    expect(results.map(outcome)).toEqual(Array.from({ length: 5 }, () => "cancelled/RUN_CANCELLED"));
    expect(outcome(await bench.step("() => ({ ok: 1 })"))).toEqual({ ok: 1 });
  });

  it("reuses a bound host for the same tenant, plugin and network alone", async () => {
    const own = await openSandbox({ hosts: 2, warm: 0 });
    await using _ = own;

    await own.step(pidOf);
    const first = await hostProcesses(own.dir);
    await own.step(pidOf);
    const second = await hostProcesses(own.dir);
    await own.step(pidOf, { request: { tenant: "other" } });
    const third = await hostProcesses(own.dir);

    expect(second).toEqual(first);
    expect(third.length).toBeGreaterThan(second.length);
  });

  it("kills every host on killAll: running steps are lost, later ones run", async () => {
    const started = new Promise<void>((resolve) => {
      bench
        .step("(_, ctx) => { ctx.log('info', 'started'); return new Promise(() => {}) }", {
          ports: { log: () => resolve() },
        })
        .then((result) => lost.push(outcome(result)))
        .catch(() => undefined);
    });
    const lost: unknown[] = [];
    await started;

    bench.hosts.killAll();
    const next = await bench.step("() => ({ ok: 1 })");

    expect(outcome(next)).toEqual({ ok: 1 });
    expect(lost).toEqual(["lost/SANDBOX_LOST"]);
  });

  it("runs nothing below the configured minimum, and says why", async () => {
    await using weak = await openSandbox({ level: "process", minLevel: "confined" });

    expect(weak.hosts.capacity).toBe(0);
    expect(await weak.step("() => ({})")).toMatchObject({ code: "SANDBOX_UNAVAILABLE", class: "transient" });
  });

  it("runs from a checkout that only its owner may enter", async () => {
    const closed = await mkdtemp(join(tmpdir(), "closed-"));
    const appDir = join(closed, "app");
    await mkdir(appDir);
    await buildSandbox(appDir);
    await chmod(closed, 0o700);

    await using own = await openSandbox({ appDir });

    expect(own.hosts.level).toBe(level);
    expect(outcome(await own.step("() => ({ ok: 1 })"))).toEqual({ ok: 1 });
    await rm(closed, { recursive: true });
  });

  it("says what is missing where the sandbox's own files are not built", async () => {
    await expect(openSandbox({ appDir: "/nonexistent" })).rejects.toMatchObject({ code: "SANDBOX_UNAVAILABLE" });
  });

  it("stops before start, twice, and leaves neither process nor socket", async () => {
    const own = await openSandbox({ hosts: 1 });
    await own.step("() => ({})");

    await own.hosts.stop();
    await own.hosts.stop();

    expect(await hostProcesses(own.dir)).toEqual([]);
    await expect(stat(`${own.dir}/sb/h0`)).rejects.toThrow("ENOENT");
    await own[Symbol.asyncDispose]();
  });

  it("leaves no host behind when the daemon is killed with -9", async () => {
    const script = fileURLToPath(new URL("../../hostile/sandbox/daemon-process.ts", import.meta.url));
    const daemon = spawn(process.execPath, ["--import", "tsx", script], { stdio: ["ignore", "pipe", "inherit"] });
    const line = await new Promise<string>((resolve) => daemon.stdout.once("data", (data) => resolve(String(data))));
    const { dir, hosts } = JSON.parse(line) as { dir: string; hosts: number[] };

    daemon.kill("SIGKILL");
    await new Promise((resolve) => daemon.once("close", resolve));

    expect(hosts.length).toBeGreaterThan(1);
    await expect.poll(() => hostProcesses(dir), { timeout: 5000 }).toEqual([]);
    await rm(dir, { recursive: true });
  });
});

describe(`the way out at level ${level}`, () => {
  async function service() {
    const seen: { headers: NodeJS.Dict<string | string[]>; body: string }[] = [];
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += String(chunk);
      });
      request.on("end", () => {
        seen.push({ headers: request.headers, body });
        response.writeHead(201, { "x-answer": "yes" }).end(JSON.stringify({ got: body.length }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    return {
      seen,
      port,
      [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
    };
  }

  it.each(["realm", "host"] as const)("lets fetch in a %s reach a granted target and records it", async (isolation) => {
    await using target = await service();
    bench.egress.length = 0;
    const run = `async ({ port }, ctx) => { const r = await fetch("http://127.0.0.1:" + port + "/x", { method: "POST", headers: { "content-type": "text/x" }, body: "héllo" });
      return { status: r.status, ok: r.ok, answer: r.headers.get("x-answer"), json: await r.json(), clock: ctx.wallClock().getTime() > 1.7e12 } }`;

    const result = await bench.step(run, {
      isolation,
      with: { port: target.port },
      request: { network: [`127.0.0.1:${target.port}`] },
    });

    expect(outcome(result)).toEqual({ status: 201, ok: true, answer: "yes", json: { got: 5 }, clock: true });
    expect(target.seen[0]).toMatchObject({ body: "héllo", headers: { "content-type": "text/x" } });
    if (isolation === "realm") expect(target.seen[0]?.headers["traceparent"]).toMatch(/^00-1{32}-2{16}-01$/);
    expect(bench.egress.map(({ kind }) => kind)).toEqual(["allow", "close"]);
  });

  it("denies another port with a code that reaches the record", async () => {
    await using target = await service();
    bench.egress.length = 0;

    const result = await bench.step(`({ port }) => fetch("http://127.0.0.1:" + (port + 1) + "/")`, {
      with: { port: target.port },
      request: { network: [`127.0.0.1:${target.port}`] },
    });

    expect(result).toMatchObject({ code: "EGRESS_DENIED", class: "policy" });
    expect(bench.egress).toEqual([expect.objectContaining({ kind: "deny", reason: "not_declared" })]);
  });

  it("routes node:http of a host-isolated step through the broker", async () => {
    await using target = await service();
    const run = `({ port }) => new Promise((resolve, reject) => { require("http").get({ host: "127.0.0.1", port, path: "/" }, (r) => { r.resume(); r.on("end", () => resolve({ status: r.statusCode })) }).on("error", reject) })`;

    const result = await bench.step(run, {
      isolation: "host",
      builtins: ["http"],
      with: { port: target.port },
      request: { network: [`127.0.0.1:${target.port}`] },
    });

    expect(outcome(result)).toEqual({ status: 201 });
  });

  it("has no way out without a declared network", async () => {
    expect(outcome(await bench.step(`() => fetch("http://127.0.0.1:1/")`))).toBe("policy/EGRESS_DENIED");
  });

  it.skipIf(!isConfined)(
    `opens no socket but the broker's, even in a step with network${isConfined ? "" : ` (skipped: ${reason ?? ""})`}`,
    async () => {
      await using target = await service();
      const run = `({ port }) => new Promise((resolve) => { const s = require("net").connect(port, "127.0.0.1", () => resolve({ open: true })); s.once("error", (e) => resolve({ code: e.code })) })`;

      const result = await bench.step(run, {
        isolation: "host",
        builtins: ["net"],
        with: { port: target.port },
        request: { network: [`127.0.0.1:${target.port}`] },
      });

      expect(outcome(result)).toEqual({ code: "EAFNOSUPPORT" });
    },
  );
});

describe(`the canary at level ${level}`, () => {
  it("was stopped everywhere, or the level is below confined", () => {
    const passed = bench.hosts.facts.probes.filter(({ stopped }) => !stopped);

    expect(isConfined ? passed : []).toEqual([]);
    expect(bench.hosts.facts.probes.length).toBeGreaterThan(8);
    expect(bench.hosts.facts.node).toBe(process.version);
  });

  it("names at level process what it could do", async () => {
    await using weak = await openSandbox({ level: "process" });
    const { facts } = weak.hosts;

    expect(facts.level).toBe("process");
    expect(facts.probes.filter(({ stopped }) => !stopped).map(({ name }) => name)).toContain("connect to loopback");
  });

  it.skipIf(process.getuid?.() !== 0 || !isConfined)(
    "gives every live host a user of its own (root only)",
    async () => {
      await Promise.all([1, 2, 3].map((n) => bench.step(`() => ({ n: ${n} })`)));

      const uids = await Promise.all(
        (await hostProcesses(bench.dir)).map(async (pid) => {
          const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
          return { uid: /^Uid:\s+(\d+)/m.exec(status)?.[1], name: /^Name:\s+(.*)$/m.exec(status)?.[1] };
        }),
      );

      const nodes = uids.filter(({ name }) => name !== undefined && !name.startsWith("bwrap")).map(({ uid }) => uid);
      expect(new Set(nodes).size).toBe(nodes.length);
      expect(nodes).not.toContain("0");
    },
  );
});
