import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../../src/base/node-digest.ts";
import type { Allowlist } from "../../../src/spec/index.ts";
import type { CurrentGrants } from "../../../src/store/index.ts";
import { createBlobCache } from "../../../src/worker/plant/blob-cache.ts";
import { DispatchGate } from "../../../src/worker/plant/dispatch-gate.ts";
import { createGrantCache } from "../../../src/worker/plant/grant-cache.ts";

const never = new AbortController().signal;
const allowing = (name: string): Allowlist => ({ plugins: [{ name, versions: ["1.x"] }], endpoints: [], secrets: [] });

const of = (name: string): CurrentGrants => ({ revision: name, allowlist: allowing(name) });

describe("grant cache", () => {
  it("asks at each step start, saying what it knows; follows only what moved, of tenants that it holds", async () => {
    const reads: string[] = [];
    const revisions = ["r1", "r1", "r2"];
    const cache = createGrantCache((tenant, known) => {
      const revision = revisions[Math.min(reads.length, 2)] ?? "";
      reads.push(`${tenant} ${known ?? "-"}`);
      return Promise.resolve({ revision, allowlist: known === revision ? null : allowing(revision) });
    });

    const first = await cache.read("acme", never);
    const second = await cache.read("acme", never);
    await cache.follow({ acme: "r1", globex: "r1" }, never);
    await cache.follow({ acme: "r2", globex: "r2" }, never);

    expect(reads).toEqual(["acme -", "acme r1", "acme r1"]);
    expect([first, second]).toEqual([allowing("r1"), allowing("r1")]);
    expect(cache.held("acme")).toEqual(allowing("r2"));
    expect(cache.held("globex")).toBeNull();
  });

  it("grants nothing while a moved revision cannot be read, and reads again at the next step start", async () => {
    const answers: (CurrentGrants | Error)[] = [of("old"), new Error("away"), of("new")];
    const cache = createGrantCache(() => {
      const answer = answers.shift();
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer!);
    });
    await cache.read("acme", never);

    await expect(cache.follow({ acme: "r2" }, never)).rejects.toThrow("away");
    const between = cache.held("acme");
    const after = await cache.read("acme", never);

    expect(between).toEqual({ plugins: [], endpoints: [], secrets: [] });
    expect(after).toEqual(allowing("new"));
  });

  it("never puts an older answer over a newer one", async () => {
    let slow: (grants: CurrentGrants) => void = () => undefined;
    const answers = [() => new Promise<CurrentGrants>((resolve) => (slow = resolve)), () => Promise.resolve(of("new"))];
    const cache = createGrantCache(() => answers.shift()!());

    const first = cache.read("acme", never);
    const second = await cache.read("acme", never);
    slow(of("old"));

    expect([await first, second]).toEqual([allowing("old"), allowing("new")]);
    expect(cache.held("acme")).toEqual(allowing("new"));
  });

  it("forgets a tenant whose last run is gone", async () => {
    const cache = createGrantCache(() => Promise.resolve(of("x")));
    await cache.read("acme", never);

    cache.forget("acme");

    expect(cache.held("acme")).toBeNull();
  });
});

describe("blob cache", () => {
  it("reads equal bytes of two tenants twice: they are two blobs", async () => {
    const reads: string[] = [];
    const cache = createBlobCache((tenant) => {
      reads.push(tenant);
      return Promise.resolve(Buffer.from("same"));
    }, 100);

    for (const tenant of ["acme", "acme", "globex"]) await cache.read(tenant, sha256Hex("same"), never);

    expect(reads).toEqual(["acme", "globex"]);
  });

  it("refuses bytes that are not what their name says, and does not keep them", async () => {
    const answers = ["forged", "true"];
    const cache = createBlobCache(() => Promise.resolve(Buffer.from(answers.shift() ?? "")), 100);

    await expect(cache.read("acme", sha256Hex("true"), never)).rejects.toMatchObject({ code: "INTERNAL" });

    expect(Buffer.from(await cache.read("acme", sha256Hex("true"), never)).toString()).toBe("true");
  });

  it("keeps the recent ones within its bound", async () => {
    const reads: string[] = [];
    const texts = new Map(["aaaa", "bbbb", "cccc"].map((text) => [sha256Hex(text), text]));
    const cache = createBlobCache((_tenant, hash) => {
      reads.push(texts.get(hash)!);
      return Promise.resolve(Buffer.from(texts.get(hash)!));
    }, 8);

    for (const text of ["aaaa", "bbbb", "aaaa", "cccc", "aaaa", "bbbb"])
      await cache.read("acme", sha256Hex(text), never);

    expect(reads).toEqual(["aaaa", "bbbb", "cccc", "bbbb"]);
  });
});

describe("dispatch gate", () => {
  it("gives places in the order of asking, past those whose tenant is at its bound", async () => {
    const gate = new DispatchGate(() => 2);
    const order: string[] = [];
    const enter = async (name: string, tenant: string): Promise<() => void> => {
      const leave = await gate.enter({ tenant, tenantMax: 1 }, never);
      order.push(name);
      return leave;
    };

    const first = enter("a1", "acme");
    const second = enter("a2", "acme");
    const third = enter("g1", "globex");
    (await first)();
    await second;
    await third;

    expect(order).toEqual(["a1", "g1", "a2"]);
  });

  it("a request that is withdrawn takes no place, and leaving twice frees one place", async () => {
    const gate = new DispatchGate(() => 1);
    const abort = new AbortController();
    const leave = await gate.enter({ tenant: "acme", tenantMax: 9 }, never);
    const withdrawn = gate.enter({ tenant: "acme", tenantMax: 9 }, abort.signal);
    const second = gate.enter({ tenant: "acme", tenantMax: 9 }, never);
    let isThird = false;
    const third = gate.enter({ tenant: "acme", tenantMax: 9 }, never).then(() => (isThird = true));

    abort.abort(new Error("withdrawn"));
    leave();
    leave();
    const leaveSecond = await second;

    await expect(withdrawn).rejects.toThrow("withdrawn");
    expect(isThird).toBe(false);
    leaveSecond();
    await third;
  });
});
