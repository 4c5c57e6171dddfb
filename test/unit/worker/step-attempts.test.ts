import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/base/index.ts";
import { canonicalText } from "../../../src/base/index.ts";
import { sha256Hex } from "../../../src/base/node-digest.ts";
import type { StepPorts } from "../../../src/sandbox/index.ts";
import { FakeResult, failing, hanging } from "../../support/fake-hosts.ts";
import { allGranted, dag, quota, setup } from "./worker-fixture.ts";

const retry = { maxAttempts: 3, backoff: 5_000, factor: 2, errors: ["transient"] };

describe("attempts", () => {
  it("a step that fails once succeeds on its second attempt, after its backoff and with the same key", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({ a: { retry } }),
      plugins: { a: { run: (_, { request }) => (request.attempt === 1 ? failing("SANDBOX_UNAVAILABLE") : { ok: 1 }) } },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    const [first, second] = bench.attempts(run, "a");
    expect([first?.status, second?.status]).toEqual(["failed", "succeeded"]);
    expect(Date.parse(second!.startedUtc) - Date.parse(first!.endedUtc)).toBeGreaterThanOrEqual(5_000);
    expect(second?.stepKey).toBe(first?.stepKey);
    expect(new Set(bench.hosts.requests.map((request) => request.idempotencyKey)).size).toBe(1);
    expect(new Set(bench.hosts.requests.map((request) => request.traceparent)).size).toBe(2);
    expect(bench.record(run).status).toBe("succeeded");
  });

  it("a step that goes on failing ends after maxAttempts", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({ a: { retry } }),
      plugins: { a: { run: () => failing("SANDBOX_UNAVAILABLE") } },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.step(run, "a").attempts).toHaveLength(3);
    expect(bench.record(run)).toMatchObject({ status: "failed", code: "SANDBOX_UNAVAILABLE", errorClass: "transient" });
  });

  it("a class that retry.errors does not name is not retried", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({ a: { retry } }),
      plugins: { a: { run: () => failing("STEP_FAILED") } },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.step(run, "a").attempts).toHaveLength(1);
  });

  it("a host that dies each time is repeated three times without being counted", async () => {
    const bench = await setup();
    const run = bench.admit({ spec: dag({ a: {} }), plugins: { a: { run: () => failing("SANDBOX_LOST") } } });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.step(run, "a").attempts.map(({ code }) => code)).toEqual(Array(4).fill("SANDBOX_LOST"));
    expect(bench.record(run)).toMatchObject({ status: "failed", errorClass: "lost" });
  });

  it("a host that dies under a step of unknown effects ends it, unless its retry names lost", async () => {
    const bench = await setup();
    const plugin = { effects: "any" as const, run: () => failing("SANDBOX_LOST") };
    const once = bench.admit({ spec: dag({ a: {} }), plugins: { a: plugin } });
    const consents = { retry: { maxAttempts: 2, backoff: 1_000, errors: ["lost"] } };
    const twice = bench.admit({ spec: dag({ a: consents }), plugins: { a: plugin } });
    await bench.worker().start();

    await bench.untilSettled(once, twice);

    expect(bench.step(once, "a").attempts).toHaveLength(1);
    expect(bench.record(once).code).toBe("LOST_OUTCOME_UNKNOWN");
    expect(bench.step(twice, "a").attempts).toHaveLength(2);
    expect(bench.queue.run(twice).marks.map((mark) => mark.attempt)).toEqual([1, 2]);
  });

  it("marks are written only for steps of unknown effects, and before they start", async () => {
    const bench = await setup();
    let marksAtStart = -1;
    const run = bench.admit({
      spec: dag({ a: {}, b: { needs: ["a"] } }),
      plugins: {
        b: {
          effects: "any",
          run: () => {
            marksAtStart = bench.queue.run(run).marks.length;
            return {};
          },
        },
      },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(marksAtStart).toBe(1);
    expect(bench.queue.run(run).marks.map((mark) => mark.stepId)).toEqual(["b"]);
  });

  it("a host that does not end a step in time is killed and the step timed out", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({ a: { limits: { timeout: 30_000 } } }),
      plugins: { a: { run: hanging } },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.step(run, "a")).toMatchObject({
      status: "timed_out",
      attempts: [{ code: "STEP_TIMEOUT", class: "timeout" }],
    });
  });

  it.each([
    ["input", { a: { input: { type: "object", required: ["x"] } } }, "ERR_INPUT_SCHEMA", 0],
    ["output", { a: { output: { type: "object", required: ["x"] } } }, "ERR_OUTPUT_SCHEMA", 1],
    ["derived field", { a: { run: () => ({ severity: "high" }) } }, "ERR_AOC_FIELD", 1],
    [
      "U+0000",
      { a: { run: () => new FakeResult({ kind: "output", text: '{"x":"\\u0000"}', cpuMs: 1 }) } },
      "ERR_OUTPUT_NOT_IJSON",
      1,
    ],
    ["size", { a: { run: () => ({ big: "x".repeat(1024 * 1024) }) } }, "STEP_OUTPUT_TOO_LARGE", 1],
  ])("refuses by %s", async (_what, plugins, code, attempts) => {
    const bench = await setup();
    const run = bench.admit({ spec: dag({ a: {} }), plugins });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.record(run)).toMatchObject({ status: "failed", code });
    expect(bench.step(run, "a").attempts).toHaveLength(attempts);
    expect(bench.step(run, "a").outputsHash).toBeNull();
  });

  it("an outcome that the store cannot keep fails its own step alone", async () => {
    const bench = await setup();
    const event = { kind: "deny", host: "\u0000", port: 1, reason: "x", sentBytes: 0, receivedBytes: 0 } as const;
    const run = bench.admit({
      spec: dag({ a: {}, b: {} }),
      plugins: {
        a: {
          run: (_, { ports }) => {
            ports.egress(event);
            return { ok: true };
          },
        },
      },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.step(run, "a").attempts).toMatchObject([{ status: "failed", code: "ERR_OUTPUT_NOT_IJSON" }]);
    expect(bench.step(run, "b").status).toBe("succeeded");
  });

  it("all outputs of a run together stay under 16 MB", async () => {
    const bench = await setup();
    const big = "x".repeat(1_000_000);
    const run = bench.admit({
      spec: dag({ a: { forEach: { in: Array.from({ length: 20 }, (_, i) => i) } } }),
      plugins: { a: { run: () => ({ big }) } },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    const codes = bench.attempts(run, "a").map((attempt) => attempt.code);
    expect(codes.filter((code) => code === null)).toHaveLength(16);
    expect(codes.filter((code) => code === "RUN_VALUES_TOO_LARGE")).toHaveLength(4);
  });

  it("the plugin's own words reach the log, redacted, and never the outcome", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({ a: {} }),
      plugins: {
        a: {
          run: (_, { ports }) => {
            ports.log({ level: "info", message: "token hunter2", fields: '{"n":1}' });
            return failing("STEP_FAILED", "value 4711 of the run");
          },
        },
      },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    const [attempt] = bench.attempts(run, "a");
    const text = await textOf(bench.artifacts.readLog("acme", attempt!.logsHash!));
    expect(text).toContain('{"fields":{"n":1},"level":"info","message":"token ***"}');
    expect(text).toContain("value 4711 of the run");
    expect(canonicalText(attempt)).not.toContain("4711");
    expect(bench.queue.run(run).settlement?.bodyText).not.toContain("4711");
  });
});

describe("grants at step start", () => {
  it.each([
    [
      "a plugin that was never granted",
      { plugins: [], endpoints: [], secrets: [] },
      { plugins: [], endpoints: [], secrets: [] },
      "PLUGIN_NOT_ALLOWED",
    ],
    ["an endpoint that was never granted", allGranted, allGranted, "ENDPOINT_NOT_ALLOWED"],
    [
      "a plugin that was granted at admission",
      allGranted,
      { plugins: [], endpoints: [], secrets: [] },
      "ALLOWLIST_REVOKED",
    ],
  ])("%s does not start", async (_what, pinned, current, code) => {
    const bench = await setup();
    const network = code === "PLUGIN_NOT_ALLOWED" || code === "ALLOWLIST_REVOKED" ? [] : ["notify.internal:443"];
    const run = bench.admit({ spec: dag({ a: { network } }), allowlist: pinned });
    bench.grants.set("acme", current);
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.record(run)).toMatchObject({ status: "failed", errorClass: "policy", code });
    expect(bench.hosts.requests).toEqual([]);
  });

  it("a step that starts right after the apply that took its grant is refused, before any beat could tell", async () => {
    const bench = await setup();
    const order: string[] = [];
    const run = bench.admit({
      spec: dag({ a: {}, b: { needs: ["a"] } }),
      plugins: {
        a: {
          run: () => {
            // Applied while a runs: nobody wakes the worker, and its beat is two seconds away.
            bench.grants.set("acme", { plugins: [{ name: "test.a", versions: ["1.x"] }], endpoints: [], secrets: [] });
            order.push(...bench.queue.calls.filter((call) => call === "heartbeat"));
            return {};
          },
        },
      },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(order).toHaveLength(1);
    expect(bench.step(run, "b")).toMatchObject({ status: "failed", reason: "allowlist_revoked" });
    expect(bench.hosts.requests.map(({ stepId }) => stepId)).toEqual(["a"]);
  });

  it("a removal reaches the question of open tunnels by the next beat, with nobody to wake the worker", async () => {
    const bench = await setup();
    const endpoint = { host: "notify.internal", port: 443, private: true, for: ["test.*"] };
    let ask: () => string = () => "";
    const run = bench.admit({
      spec: dag({ a: { network: ["notify.internal:443"] } }),
      allowlist: { ...allGranted, endpoints: [endpoint] },
      plugins: {
        a: {
          run: async (input, step) => {
            ask = () => step.ports.decideEgress("notify.internal", 443);
            return await hanging(input, step);
          },
        },
      },
    });
    await bench.worker().start();
    await bench.until(() => ask() === "allow_private");

    const appliedMs = bench.clock.monotonicMs();
    bench.grants.set("acme", allGranted);
    bench.queue.revisions["acme"] = "e".repeat(40);
    await bench.until(() => ask() === "deny");

    // The broker asks every two seconds (sandbox/host-factory), so a tunnel is closed within five.
    expect(bench.clock.monotonicMs() - appliedMs).toBeLessThanOrEqual(2250);
    bench.queue.askCancel(run);
    await bench.untilSettled(run);
  });

  it("a grant that is taken away while a run is under way counts at the next step and at the next connect", async () => {
    const bench = await setup();
    const endpoint = { host: "notify.internal", port: 443, private: true, for: ["test.*"] };
    const granted = { ...allGranted, endpoints: [endpoint] };
    const answers: string[] = [];
    let go: () => void = () => undefined;
    const ask = (ports: StepPorts): void => {
      answers.push(ports.decideEgress("NOTIFY.internal", 443), ports.decideEgress("other.internal", 443));
    };
    const run = bench.admit({
      spec: dag({ a: { network: ["notify.internal:443"] }, b: { needs: ["a"], network: ["notify.internal:443"] } }),
      allowlist: granted,
      plugins: {
        a: {
          run: async (_, { ports }) => {
            ask(ports);
            await new Promise<void>((resolve) => (go = resolve));
            ask(ports);
            return {};
          },
        },
      },
    });
    const worker = bench.worker();
    await worker.start();
    await bench.until(() => answers.length === 2);

    bench.grants.set("acme", allGranted);
    bench.queue.revisions["acme"] = "e".repeat(40);
    worker.wake();
    await bench.quiet();
    go();
    await bench.untilSettled(run);

    expect(answers).toEqual(["allow_private", "deny", "deny", "deny"]);
    expect(bench.step(run, "a").status).toBe("succeeded");
    expect(bench.step(run, "b")).toMatchObject({ status: "failed", reason: "allowlist_revoked" });
  });
});

describe("what a step may read and leave", () => {
  it("files that it declares, of the pinned revision, and no other", async () => {
    const bench = await setup();
    const seen: string[] = [];
    const run = bench.admit({
      spec: dag({ a: { files: ["vex/one.json"] } }),
      files: { "vex/one.json": "one", "vex/two.json": "two" },
      plugins: {
        a: {
          run: async (_, { request, ports }) => {
            seen.push(...request.files.map((file) => file.path), await textOf(ports.readFile("vex/one.json")));
            await textOf(ports.readFile("vex/two.json")).catch((error: unknown) => seen.push(String(error)));
            return {};
          },
        },
      },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(seen.slice(0, 2)).toEqual(["vex/one.json", "one"]);
    expect(seen[2]).toContain("did not declare");
  });

  it("artifacts whose references stand in its with, handed on by an earlier step, and no other", async () => {
    const bench = await setup();
    const seen: string[] = [];
    const run = bench.admit({
      spec: dag({
        make: {},
        read: { needs: ["make"], with: { doc: "${{ steps.make.outputs.doc }}" } },
        blind: { needs: ["make"] },
      }),
      plugins: {
        make: {
          run: async (_, { ports }) => ({ doc: { ...(await ports.writeArtifact(bytesOf("hello"), "text/plain")) } }),
        },
        read: {
          run: async (input, { request, ports }) => {
            const { artifact } = input["doc"] as { artifact: string };
            seen.push(await textOf(ports.readArtifact(artifact)), String(request.readable.length));
            return {};
          },
        },
        blind: {
          run: (_, { ports }) => {
            try {
              ports.readArtifact(sha256Hex("hello"));
            } catch (error) {
              seen.push(String(error));
            }
            return {};
          },
        },
      },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    const artifact = { artifact: sha256Hex("hello"), bytes: 5, mediaType: "text/plain" };
    expect(bench.step(run, "make").attempts[0]?.artifacts).toEqual([artifact]);
    expect(seen).toContain("hello");
    expect(seen.some((text) => text.includes("no reference"))).toBe(true);
  });

  it("never what another tenant wrote, though it knows the hash", async () => {
    const bench = await setup();
    const secret = { artifact: sha256Hex("acme only"), bytes: 9, mediaType: "text/plain" };
    const acme = bench.admit({
      spec: dag({ make: {} }),
      plugins: {
        make: {
          run: async (_, { ports }) => ({
            doc: { ...(await ports.writeArtifact(bytesOf("acme only"), "text/plain")) },
          }),
        },
      },
    });
    const worker = bench.worker();
    await worker.start();
    await bench.untilSettled(acme);
    let answer = "";
    const globex = bench.admit({
      tenant: "globex",
      spec: dag({ steal: { with: { doc: secret } } }),
      plugins: {
        steal: {
          run: async (_, { ports }) => {
            answer = await textOf(ports.readArtifact(secret.artifact)).catch((error: unknown) => String(error));
            return {};
          },
        },
      },
    });
    worker.wake();

    await bench.untilSettled(globex);

    expect(answer).toContain("not in the store of this tenant");
    expect(bench.hosts.requests.map(({ tenant, stepId }) => `${tenant}/${stepId}`)).toEqual([
      "acme/make",
      "globex/steal",
    ]);
  });

  it("two tenants with the same DAG at once get their own inputs, grants, files and outputs", async () => {
    const bench = await setup();
    const spec = dag({
      a: { files: ["x"], with: { who: "${{ run.tenant }}", day: "${{ inputs.day }}" } },
      b: { needs: ["a"], with: { seen: "${{ steps.a.outputs }}" } },
    });
    const plugins = {
      a: {
        run: async (input: JsonObject, { ports }: { ports: StepPorts }) => ({
          input,
          file: await textOf(ports.readFile("x")),
        }),
      },
    };
    const acme = bench.admit({ spec, plugins, inputs: { day: "mon" }, files: { x: "of acme" } });
    const globex = bench.admit({ spec, plugins, tenant: "globex", inputs: { day: "tue" }, files: { x: "of globex" } });
    await bench.worker().start();

    await bench.untilSettled(acme, globex);

    const expected = (who: string, day: string): JsonObject => ({ seen: { file: `of ${who}`, input: { day, who } } });
    expect(bench.output(acme, "b")).toEqual({ echo: expected("acme", "mon") });
    expect(bench.output(globex, "b")).toEqual({ echo: expected("globex", "tue") });
  });

  it("connections are summed by target in the outcome", async () => {
    const bench = await setup();
    const event = { host: "notify.internal", port: 443, reason: "x", sentBytes: 0, receivedBytes: 0 };
    const run = bench.admit({
      spec: dag({ a: {} }),
      plugins: {
        a: {
          run: (_, { ports }) => {
            ports.egress({ ...event, kind: "allow" });
            ports.egress({ ...event, kind: "close", sentBytes: 10, receivedBytes: 20 });
            ports.egress({ ...event, kind: "deny" });
            for (let i = 0; i < 500; i++) ports.egress({ ...event, host: `h${i}.example`, kind: "deny" });
            return {};
          },
        },
      },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    const egress = bench.step(run, "a").attempts[0]?.egress ?? [];
    const target = { host: "notify.internal", port: 443, allowed: 1, denied: 1, sentBytes: 10, receivedBytes: 20 };
    expect(egress).toContainEqual(target);
    expect(egress.length).toBeLessThanOrEqual(101);
    expect(egress.reduce((sum, each) => sum + each.denied, 0)).toBe(501);
  });

  it("limits are the step's, held to what the quota grants one step", async () => {
    const bench = await setup();
    const run = bench.admit({
      spec: dag({ a: { limits: { memory: 64 * 1024 * 1024, timeout: 700_000 } } }),
      quota: { ...quota, perStep: { ...quota.perStep, outputBytes: 1000 } },
    });
    await bench.worker().start();

    await bench.untilSettled(run);

    expect(bench.hosts.requests[0]?.limits).toMatchObject({
      memoryBytes: 64 * 1024 * 1024,
      timeoutMs: 600_000,
      outputBytes: 1000,
    });
    expect(bench.hosts.requests[0]?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });
});

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield Buffer.from(text);
}
