import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createStore, type Store } from "../../../src/store/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import {
  admitRuns,
  applyTenant,
  cancelledBody,
  commitOf,
  dagWrite,
  manualRequest,
  quotaOf,
  runIdOf,
  sha,
  slotRequest,
  specHashOf,
} from "../../support/store-fixtures.ts";
import { openStoreWorld, type StoreWorld } from "../../support/store-world.ts";

const clock = new FakeClock("2026-11-24T10:00:00.000Z");
const at = (minute: string): string => `2026-11-24T${minute}:00.000Z`;
const hourly = { schedule: "default", watermark: at("09:00"), nextDue: at("10:00") };
let world: StoreWorld;
let store: Store;

beforeAll(async () => {
  world = await openStoreWorld(clock);
  store = world.store;
});
afterAll(() => world[Symbol.asyncDispose]());

const bodies = (tenant: string): Promise<readonly { record_id: string; count: number | null }[]> =>
  world.db.admin("select record_id, count::int, body from outbox where tenant_id = $1 order by record_id", [tenant]);
const skips = (tenant: string): Promise<readonly unknown[]> =>
  world.db.admin(
    "select reason, utc(from_slot) as from, utc(to_slot) as to, count::int, open from skip_live where tenant_id = $1 order by from_slot",
    [tenant],
  );

describe("requests", () => {
  it("numbers runs without gaps per DAG", async () => {
    await applyTenant(store, { tenant: "numbers", dags: [dagWrite({ dagId: "hello" }), dagWrite({ dagId: "other" })] });

    const answers = await store.admission.admit([
      manualRequest(clock, { tenant: "numbers", key: "a" }),
      manualRequest(clock, { tenant: "numbers", key: "b", dagId: "other" }),
      manualRequest(clock, { tenant: "numbers", key: "c" }),
      manualRequest(clock, { tenant: "numbers", key: "d", dagId: "none" }),
      manualRequest(clock, { tenant: "numbers", key: "e" }),
    ]);

    expect(answers.map((answer) => (answer.kind === "admitted" ? answer.runNo : answer.kind))).toEqual([
      1,
      1,
      2,
      "refused",
      3,
    ]);
  });

  it("admits one run for one key of many at once", async () => {
    await applyTenant(store, { tenant: "once" });
    const request = manualRequest(clock, { tenant: "once", key: "k" });
    const variants = [...Array(12).keys()].map((n) => ({ ...request, runId: runIdOf(clock.now(), sha(String(n))) }));

    const answers = (await Promise.all(variants.map((variant) => store.admission.admit([variant])))).flat();

    expect(answers.filter((answer) => answer.kind === "admitted")).toHaveLength(1);
    expect(answers.filter((answer) => answer.kind === "existing")).toHaveLength(11);
    expect(new Set(answers.map((answer) => "runId" in answer && answer.runId)).size).toBe(1);
  });

  it("answers the first run for its key after the spec moved on, and after the DAG was pruned", async () => {
    await applyTenant(store, { tenant: "moved" });
    const request = manualRequest(clock, { tenant: "moved", key: "k" });
    const [first] = await store.admission.admit([request]);
    await applyTenant(store, {
      tenant: "moved",
      from: commitOf(1),
      to: commitOf(2),
      dags: [dagWrite({ dagId: "hello", version: 2, from: specHashOf("hello") })],
    });

    const [second] = await store.admission.admit([{ ...request, specHash: specHashOf("hello", 2) }]);
    await applyTenant(store, {
      tenant: "moved",
      from: commitOf(2),
      to: commitOf(3),
      dags: [{ kind: "prune", dagId: "hello", from: specHashOf("hello", 2) }],
    });
    const [third] = await store.admission.admit([request]);

    expect(first).toMatchObject({ kind: "admitted" });
    expect([second, third]).toEqual([
      { kind: "existing", runId: request.runId },
      { kind: "existing", runId: request.runId },
    ]);
  });

  it("refuses a used key with other inputs, on record", async () => {
    await applyTenant(store, { tenant: "reuse" });
    await store.admission.admit([manualRequest(clock, { tenant: "reuse", key: "k" })]);

    const [answer] = await store.admission.admit([
      manualRequest(clock, { tenant: "reuse", key: "k", inputs: '{"a":1}' }),
    ]);

    expect(answer).toEqual({ kind: "refused", code: "IDEMPOTENCY_KEY_REUSED" });
    expect(await bodies("reuse")).toMatchObject([
      { record_id: "denial/2026-11-24T10:00/hello/IDEMPOTENCY_KEY_REUSED/ana/1" },
    ]);
  });

  it("refuses what is not armed, suspended, or over the queue; spends no key or number", async () => {
    await applyTenant(store, {
      tenant: "refused",
      quota: quotaOf({ maxConcurrent: 1, maxQueued: 1 }),
      dags: [
        dagWrite({ dagId: "hello" }),
        dagWrite({ dagId: "unarmed", armed: false }),
        dagWrite({ dagId: "asleep", suspended: true }),
      ],
    });

    const answers = await store.admission.admit([
      manualRequest(clock, { tenant: "refused", key: "a", dagId: "unarmed" }),
      manualRequest(clock, { tenant: "refused", key: "b", dagId: "asleep" }),
      manualRequest(clock, { tenant: "refused", key: "c" }),
      manualRequest(clock, { tenant: "refused", key: "d" }),
      manualRequest(clock, { tenant: "nobody", key: "e" }),
    ]);

    expect(answers.map((answer) => ("code" in answer ? answer.code : answer.kind))).toEqual([
      "NOT_ALLOWED",
      "SUSPENDED",
      "admitted",
      "QUEUE_FULL",
      "DAG_NOT_FOUND",
    ]);
    expect((await bodies("refused")).map((body) => body.record_id.split("/")[3])).toEqual([
      "SUSPENDED",
      "QUEUE_FULL",
      "NOT_ALLOWED",
    ]);
    expect(await world.db.admin("select trigger_key from run_key where tenant_id = 'refused'")).toEqual([
      { trigger_key: "c" },
    ]);
    expect(await world.db.admin("select count(*)::int as n from outbox where tenant_id = 'nobody'")).toEqual([
      { n: 0 },
    ]);
  });

  it("counts the denials of a minute: the first at once, the others in one body when the minute is over", async () => {
    await applyTenant(store, { tenant: "denied", dags: [dagWrite({ dagId: "hello", armed: false })] });
    const deny = (key: string, subject: string) =>
      store.admission.admit([manualRequest(clock, { tenant: "denied", key, subject })]);

    for (const key of ["a", "b", "c", "d"]) await deny(key, "ana");
    await deny("e", "bob");

    expect(await bodies("denied")).toMatchObject([
      { record_id: "denial/2026-11-24T10:00/hello/NOT_ALLOWED/ana/1", count: null },
      { record_id: "denial/2026-11-24T10:00/hello/NOT_ALLOWED/ana/2", count: 3 },
      { record_id: "denial/2026-11-24T10:00/hello/NOT_ALLOWED/bob/1", count: null },
    ]);
    const during = await store.audit.drain({ batch: 1, limit: 1000, maxBytes: 1e6, now: at("10:01") });
    expect(during.bodies.filter((body) => body.tenant === "denied").map((body) => body.recordId.slice(-5))).toEqual([
      "ana/1",
      "bob/1",
    ]);
    const after = await store.audit.drain({ batch: 1, limit: 1000, maxBytes: 1e6, now: at("10:02") });
    expect(after.bodies.find((body) => body.recordId.endsWith("ana/2"))).toMatchObject({ count: 3 });
  });

  it("answers stale for a version that is no longer applied", async () => {
    await applyTenant(store, { tenant: "stale" });

    const [answer] = await store.admission.admit([
      manualRequest(clock, { tenant: "stale", key: "k", specHash: specHashOf("hello", 2) }),
    ]);

    expect(answer).toEqual({ kind: "stale" });
  });

  it("refuses alone what no column can hold", async () => {
    await applyTenant(store, { tenant: "nul" });
    const good = manualRequest(clock, { tenant: "nul", key: "good" });

    const answers = await store.admission.admit([
      { ...manualRequest(clock, { tenant: "nul", key: "bad" }), rationale: [{ source: "trigger", text: "a\u0000b" }] },
      good,
      { ...manualRequest(clock, { tenant: "nul", key: "x" }), runId: "not-a-uuid" },
    ]);

    expect(answers.map((answer) => answer.kind)).toEqual(["refused", "admitted", "refused"]);
  });

  it("ends the waiting run that a newer one takes the place of", async () => {
    await applyTenant(store, { tenant: "latest", dags: [dagWrite({ dagId: "hello", max: 1, overlap: "latest" })] });
    const [running, waiting, newest] = await admitRuns(store, clock, "latest", ["a", "b", "c"]);

    const states = await Promise.all(
      [running, waiting, newest].map((runId) => store.ledger.getRun("latest", runId ?? "")),
    );

    expect(states.map((run) => run?.state)).toEqual(["queued", "cancelled", "queued"]);
    expect((await bodies("latest")).map((body) => body.record_id)).toEqual([`run/${String(waiting)}`]);
  });
});

describe("slots", () => {
  const slot = (tenant: string, from: string, to: string, rest: Partial<Parameters<typeof slotRequest>[1]> = {}) =>
    slotRequest(clock, { tenant, from: at(from), to: at(to), nextDue: at("12:00"), ...rest });

  it("lists what is due, soonest first, with why it would not run", async () => {
    await applyTenant(store, {
      tenant: "due",
      dags: [
        dagWrite({ dagId: "late", schedules: [{ ...hourly, nextDue: at("09:30") }] }),
        dagWrite({ dagId: "never", schedules: [{ ...hourly, nextDue: null }] }),
        dagWrite({ dagId: "soon", schedules: [{ ...hourly, nextDue: at("10:01") }] }),
        dagWrite({ dagId: "unarmed", armed: false, schedules: [{ ...hourly, nextDue: at("09:31") }] }),
      ],
    });

    const due = (await store.admission.dueSchedules(clock.now(), 100)).filter((schedule) => schedule.tenant === "due");

    expect(due.map(({ dagId, blocked }) => [dagId, blocked])).toEqual([
      ["late", null],
      ["unarmed", "not_allowed"],
    ]);
    expect(due[0]).toMatchObject({
      watermark: new Date(at("09:00")),
      nextDue: new Date(at("09:30")),
      specHash: specHashOf("late"),
    });
    expect((await store.admission.nextDue())?.getTime()).toBeLessThanOrEqual(Date.parse(at("09:30")));
  });

  it("are claimed once by two schedulers", async () => {
    await applyTenant(store, { tenant: "claim", dags: [dagWrite({ dagId: "hello", schedules: [hourly] })] });
    const other = createStore(world.db.database, { clock, log: { ...console, with: () => other } as never });

    const answers = (
      await Promise.all([
        store.admission.admit([slot("claim", "09:00", "10:00")]),
        other.admission.admit([{ ...slot("claim", "09:00", "10:00"), runId: runIdOf(clock.now(), sha("other")) }]),
      ])
    ).flat();

    expect(answers.map((answer) => answer.kind).sort()).toEqual(["admitted", "stale"]);
    expect((await store.revision.observeTenant("claim")).dags[0]?.schedules).toEqual([
      { schedule: "default", watermark: at("10:00"), nextDue: at("12:00") },
    ]);
  });

  it("that become no run grow one range while the reason lasts, and close it when it ends", async () => {
    await applyTenant(store, { tenant: "skips", dags: [dagWrite({ dagId: "hello", schedules: [hourly] })] });
    const skip = (reason: "late" | "overlap", slotAt: string) => ({
      reason,
      from: at(slotAt),
      to: at(slotAt),
      count: 1,
    });

    await store.admission.admit([slot("skips", "09:00", "09:10", { runs: false, skips: [skip("late", "09:10")] })]);
    await store.admission.admit([
      slot("skips", "09:10", "09:30", { runs: false, skips: [skip("late", "09:20"), skip("late", "09:30")] }),
    ]);
    await store.admission.admit([slot("skips", "09:30", "09:40", { runs: false, skips: [skip("overlap", "09:40")] })]);
    const [answer] = await store.admission.admit([slot("skips", "09:40", "09:50")]);

    expect(answer).toMatchObject({ kind: "admitted" });
    expect(await skips("skips")).toEqual([
      { reason: "late", from: at("09:10"), to: at("09:30"), count: 3, open: false },
      { reason: "overlap", from: at("09:40"), to: at("09:40"), count: 1, open: false },
    ]);
  });

  it("are skipped, not denied, where quota, overlap or a grant says no", async () => {
    await applyTenant(store, {
      tenant: "noslot",
      quota: quotaOf({ maxQueued: 1 }),
      dags: [
        dagWrite({ dagId: "unarmed", armed: false, schedules: [hourly] }),
        dagWrite({ dagId: "hello", max: 1, overlap: "skip", schedules: [hourly] }),
        dagWrite({ dagId: "third", schedules: [hourly] }),
      ],
    });

    const answers = await store.admission.admit([
      slot("noslot", "09:00", "10:00", { dagId: "unarmed" }),
      slot("noslot", "09:00", "10:00"),
      slot("noslot", "10:00", "11:00"),
      slot("noslot", "09:00", "10:00", { dagId: "third" }),
    ]);

    expect(answers.map((answer) => ("reason" in answer ? answer.reason : answer.kind))).toEqual([
      "not_allowed",
      "admitted",
      "overlap",
      "quota",
    ]);
    expect(await bodies("noslot")).toEqual([]);
  });

  it("are stale for another version, and leave the watermark alone", async () => {
    await applyTenant(store, { tenant: "slotver", dags: [dagWrite({ dagId: "hello", schedules: [hourly] })] });

    const [answer] = await store.admission.admit([slot("slotver", "09:00", "10:00", { version: 2 })]);

    expect(answer).toEqual({ kind: "stale" });
    expect((await store.revision.observeTenant("slotver")).dags[0]?.schedules[0]?.watermark).toBe(at("09:00"));
  });
});

describe("cancel", () => {
  const cancel = (tenant: string, runId: string, subject = "ana") =>
    store.admission.cancel({
      tenant,
      runId,
      actor: { kind: "user", subject, key: null },
      rationale: null,
      now: at("10:00"),
      bodyOf: cancelledBody,
    });

  it("ends a queued run at once with its record, and makes room", async () => {
    await applyTenant(store, { tenant: "cancel", quota: quotaOf({ maxConcurrent: 1 }) });
    const [first, second] = await admitRuns(store, clock, "cancel", ["a", "b"]);

    expect(await cancel("cancel", first ?? "")).toEqual({ kind: "cancelled" });

    expect(await cancel("cancel", first ?? "")).toEqual({ kind: "finished" });
    expect(await store.ledger.getRun("cancel", first ?? "")).toMatchObject({
      state: "cancelled",
      code: "RUN_CANCELLED",
      startedUtc: null,
    });
    expect(await bodies("cancel")).toMatchObject([{ record_id: `run/${String(first)}` }]);
    expect(await world.db.admin("select run_id from run_live where tenant_id = 'cancel' and tag is not null")).toEqual([
      { run_id: second },
    ]);
  });

  it("knows no run of another tenant", async () => {
    await applyTenant(store, { tenant: "mine" });
    const [runId] = await admitRuns(store, clock, "mine", ["a"]);

    expect(await cancel("cancel", runId ?? "")).toEqual({ kind: "unknown" });
    expect(await cancel("mine", "'; drop table run; --")).toEqual({ kind: "unknown" });
    expect(await store.ledger.getRun("cancel", runId ?? "")).toBeNull();
  });
});
