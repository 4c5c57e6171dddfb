import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/base/index.ts";
import { sha256Hex } from "../../../src/base/node-digest.ts";
import { stepHashOf } from "../../../src/run/index.ts";
import type { FoundSecret } from "../../../src/secret/index.ts";
import type { WorkerDeps } from "../../../src/worker/index.ts";
import { allGranted, dag, setup } from "./worker-fixture.ts";

const canary = "canary-7f3a9c0d1e";
const granted = { ...allGranted, secrets: [{ name: "notify_token", for: ["test.*"] }] };
const spec = dag({ a: { secrets: { token: "notify_token" } } });

/** A site that answers `found`, and what of it is lent at the moment. */
function siteWith(found: FoundSecret, levelFits = true) {
  const lent: string[] = [];
  const asked: string[] = [];
  const secrets: WorkerDeps["secrets"] = {
    levelFits,
    find: (tenant, name) => {
      asked.push(`${tenant}/${name}`);
      return Promise.resolve(found);
    },
    lend: (values) => {
      lent.push(...values);
      return () => void lent.splice(0);
    },
  };
  return { secrets, lent, asked };
}

const found: FoundSecret = { kind: "found", source: "file", value: canary };

describe("a step that names secrets", () => {
  it("gets their values by its own names, in a host of its own, lent for as long as it runs", async () => {
    const bench = await setup();
    const site = siteWith(found);
    let lentMeanwhile: readonly string[] = [];
    const plugins = {
      a: {
        run: () => {
          lentMeanwhile = [...site.lent];
          return {};
        },
      },
    };
    const run = bench.admit({ spec, allowlist: granted, plugins });
    await bench.worker({ secrets: site.secrets }).start();

    await bench.untilSettled(run);

    const [request] = bench.hosts.requests;
    expect(request?.secrets).toEqual({ token: canary });
    expect(request?.plugin.isolation).toBe("host");
    expect(site.asked).toEqual(["acme/notify_token"]);
    expect([lentMeanwhile, site.lent]).toEqual([[canary], []]);
    expect(bench.record(run)).toMatchObject({ status: "succeeded", deterministic: false });
  });

  it("is hashed by the names alone: another value asks the same", async () => {
    const hashes = [];
    for (const value of [canary, "another-value"]) {
      const bench = await setup();
      const run = bench.admit({ spec, allowlist: granted });
      await bench.worker({ secrets: siteWith({ kind: "found", source: "age", value }).secrets }).start();
      await bench.untilSettled(run);
      hashes.push(bench.attempts(run, "a")[0]?.stepHash);
    }
    const named = { code: null, files: [], network: [], secrets: { token: "notify_token" }, with: {} };
    const expected = stepHashOf({ ...named, plugin: sha256Hex("// test.a@1.0.0") }, (bytes) =>
      Buffer.from(sha256Hex(bytes), "hex"),
    );

    expect(hashes).toEqual([expected, expected]);
  });

  it.each<[string, FoundSecret, boolean, string]>([
    ["no value", { kind: "absent" }, true, "SECRET_MISSING"],
    [
      "a value that must not be used",
      { kind: "unusable", source: "file", why: "it is a symlink" },
      true,
      "SECRET_MISSING",
    ],
    ["a sandbox that is too weak", found, false, "SECRET_LEVEL"],
  ])("does not start where there is %s", async (_what, answer, levelFits, code) => {
    const bench = await setup();
    const run = bench.admit({ spec, allowlist: granted });
    await bench.worker({ secrets: siteWith(answer, levelFits).secrets }).start();

    await bench.untilSettled(run);

    expect(bench.record(run)).toMatchObject({ status: "failed", errorClass: "policy", code });
    expect(bench.hosts.requests).toEqual([]);
  });

  it.each([
    ["never granted", allGranted, allGranted, "SECRET_NOT_ALLOWED"],
    ["granted when it was admitted, and no more", granted, allGranted, "ALLOWLIST_REVOKED"],
  ])("does not start, and nobody looks for a value, where the secret is %s", async (_what, pinned, current, code) => {
    const bench = await setup();
    const site = siteWith(found);
    const run = bench.admit({ spec, allowlist: pinned });
    bench.grants.set("acme", current);
    await bench.worker({ secrets: site.secrets }).start();

    await bench.untilSettled(run);

    expect(bench.record(run)).toMatchObject({ status: "failed", code });
    expect(site.asked).toEqual([]);
  });

  it("has its value in no log line, also where the host is not the one that masked it", async () => {
    const bench = await setup();
    const plugins = {
      a: {
        run: (_input: unknown, { ports }: { ports: { log: (line: object) => void } }) => {
          ports.log({ level: "info", message: `said ${canary}`, fields: `{"${btoa(canary)}":1}` });
          throw new Fault("STEP_FAILED", `thrown ${canary}`);
        },
      },
    };
    const run = bench.admit({ spec, allowlist: granted, plugins: plugins as never });
    await bench.worker({ secrets: siteWith(found).secrets }).start();

    await bench.untilSettled(run);

    const [attempt] = bench.attempts(run, "a");
    const pieces: Uint8Array[] = [];
    for await (const piece of bench.artifacts.readLog("acme", attempt?.logsHash ?? "")) pieces.push(piece);
    const text = Buffer.concat(pieces).toString();
    expect(text).toContain("said [redacted]");
    expect(text + JSON.stringify(attempt)).not.toMatch(/canary|Y2FuYXJ5/);
  });
});
