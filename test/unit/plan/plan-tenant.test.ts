import { describe, expect, it } from "vitest";
import { sha256, sha256Hex } from "../../../src/base/node-digest.ts";
import {
  isTenantNoop,
  neverApplied,
  type ObservedTenant,
  pinnedBlobs,
  planChanges,
  reconcileFacts,
  renderPlan,
} from "../../../src/plan/index.ts";
import {
  acme,
  after,
  applied,
  changeOf,
  dagPath,
  desiredOf,
  every,
  hello,
  now,
  planOf,
  revision,
  said,
  words,
} from "./plan-fixture.ts";

const broken = "apiVersion: orrery/v1\nkind: Dag\nspec:\n  stepz: {}\n";

describe("planTenant", () => {
  it("creates what is new, armed, and pins what it names", () => {
    const plan = planOf(desiredOf(acme({ hello: hello() })));

    expect(words(plan)).toEqual(["create hello"]);
    expect(plan.dags[0]).toMatchObject({ to: { armed: true, suspended: false } });
    expect(Object.keys(plan.snapshot.plugins)).toEqual(["core.log@1.0.0"]);
    expect(said(plan, "hello")).toBe("True Applied: armed");
    expect(said(plan, "acme")).toBe("True Applied: applied");
  });

  it("sees no change in comments and key order: the normal form is compared", () => {
    const observed = after(acme({ hello: hello() }));
    const text = `# a comment\nspec:\n  steps: { hello: { with: { message: hello }, uses: core.log@1.0.0 } }\n  rationale: Prove it.\nkind: Dag\napiVersion: orrery/v1\n`;
    const plan = planOf(desiredOf(acme({ hello: text })), observed);

    expect(words(plan)).toEqual([]);
    expect(plan.documents).toEqual([]);
    expect(isTenantNoop(plan)).toBe(false);
    expect(reconcileFacts(plan, now, sha256)).toBeNull();
  });

  it("updates by spec, and disarms a DAG that loses a grant", () => {
    const observed = after(acme({ hello: hello(), other: hello() }));
    const plan = planOf(
      desiredOf(
        acme(
          { hello: hello("new"), other: hello() },
          { "tenants/acme/allowlist.yaml": "apiVersion: orrery/v1\nkind: Allowlist\nspec: {}\n" },
        ),
      ),
      observed,
    );

    expect(words(plan)).toEqual(["update hello spec armed", "update other armed"]);
    expect(said(plan, "hello")).toMatch(
      /^False NotAllowed: tenants\/acme\/dags\/hello.yaml:\d+:\d+ ORY3003 PLUGIN_NOT_ALLOWED /,
    );
    expect(plan.documents.map((c) => `${c.kind} ${c.document}`)).toEqual(["update Allowlist"]);
  });

  it("holds a DAG that no longer decodes at its last good version, and creates its neighbour", () => {
    const observed = after(acme({ hello: hello() }));
    const plan = planOf(desiredOf(acme({ hello: broken, fresh: hello() })), observed);
    const then = applied(observed, changeOf(plan));

    expect(words(plan)).toEqual(["create fresh", "hold hello"]);
    expect(said(plan, "hello")).toMatch(
      /^False Held: held at [0-9a-f]{12}: tenants\/acme\/dags\/hello\.yaml:\d+:\d+ ORY20\d\d /,
    );
    expect(said(plan, "hello", "Stalled")).toMatch(/^True Held/);
    expect(said(plan, "fresh")).toBe("True Applied: armed");
    expect(then.dags.find((d) => d.dagId === "hello")?.specHash).toBe(observed.dags[0]?.specHash);
  });

  it("holds two DAGs broken in one commit each alone, and the fix un-holds them", () => {
    const observed = after(acme({ a: hello(), b: hello(), c: hello() }));
    const held = applied(
      observed,
      changeOf(planOf(desiredOf(acme({ a: broken, b: ":\n- [", c: hello("2") })), observed)),
    );
    const fixed = planOf(desiredOf(acme({ a: hello(), b: hello(), c: hello("2") })), held);

    expect(
      held.conditions.filter((c) => c.reason === "Held" && c.kind === "Dag" && c.type === "Ready").map((c) => c.name),
    ).toEqual(["a", "b"]);
    expect(words(fixed)).toEqual([]);
    expect(fixed.conditions.filter((c) => c.type === "Ready").map((c) => `${c.name} ${c.reason}`)).toEqual([
      "a Applied",
      "b Applied",
      "c Applied",
      "acme Applied",
    ]);
    expect(isTenantNoop(fixed)).toBe(false);
  });

  it("keeps out a new DAG that is wrong in itself", () => {
    const plan = planOf(desiredOf(acme({ cyclic: hello().replace("uses:", "needs: hello\n      uses:") })));

    expect(words(plan)).toEqual(["hold cyclic"]);
    expect(said(plan, "cyclic")).toMatch(/^False Held: not applied: .*DAG_CYCLE/);
    expect(changeOf(plan).dags).toEqual([]);
  });

  it("prunes what is gone, and its name returns as new", () => {
    const observed = after(acme({ a: hello("x", every("1h")), b: hello() }));
    const pruned = applied(observed, changeOf(planOf(desiredOf(acme({ b: hello() })), observed)));
    const back = changeOf(
      planOf(desiredOf(acme({ a: hello("x", every("1h")), b: hello() })), pruned),
      "2026-06-01T00:00:00.000Z",
    );

    expect(pruned.dags.find((d) => d.dagId === "a")).toMatchObject({ pruned: true });
    expect(pruned.conditions.filter((c) => c.name === "a" && c.type === "Ready")).toMatchObject([
      { status: "False", reason: "Pruned" },
    ]);
    expect(back.dags).toMatchObject([
      { kind: "create", dagId: "a", from: null, schedules: [{ watermark: "2026-06-01T00:00:00.000Z" }] },
    ]);
  });

  it.each(["tenant", "quota", "allowlist"])("holds the whole tenant where %s.yaml does not decode", (file) => {
    const observed = after(acme({ hello: hello() }));
    const plan = planOf(
      desiredOf(acme({ fresh: hello() }, { [`tenants/acme/${file}.yaml`]: "apiVersion: orrery/v1\nkind: Nope\n" })),
      observed,
    );
    const change = changeOf(plan);
    const then = applied(observed, change);

    expect(plan.blocked).toEqual({ kind: "held" });
    expect(change).toMatchObject({ dags: [], to: observed.appliedRevision, fingerprint: observed.fingerprint });
    expect(said(plan, "acme")).toMatch(/^False TenantHeld: tenants\/acme\//);
    expect(then.conditions.filter((c) => c.kind === "Dag")).toEqual(
      observed.conditions.filter((c) => c.kind === "Dag"),
    );
    expect(reconcileFacts(plan, now, sha256)?.changes).toMatchObject([{ change: "hold", name: "acme" }]);
    expect(isTenantNoop(planOf(plan.desired, then))).toBe(true);
  });

  it("holds a tenant that was never readable without granting anything", () => {
    const plan = planOf(desiredOf({ documents: { "tenants/acme/quota.yaml": "x" } }));
    const change = changeOf(plan);

    expect(change.snapshot).toMatchObject({ allowlist: { plugins: [], endpoints: [], secrets: [] }, plugins: {} });
    expect(change.dags).toEqual([]);
    expect(isTenantNoop(planOf(plan.desired, applied(neverApplied("acme"), change)))).toBe(true);
  });

  it("waits for a person where more would be pruned than the brake lets pass", () => {
    const five = { a: hello(), b: hello(), c: hello(), d: hello(), e: hello() };
    const observed = after(acme(five));
    const { a: _a, b: _b, ...three } = five;
    const desired = desiredOf(acme({ ...three, c: hello("new") }));
    const braked = planOf(desired, observed);
    const wide = planOf(desired, observed, { prunePercent: 40 });

    expect(braked.blocked).toEqual({ kind: "brake", prunes: 2, of: 5, allowed: 1 });
    expect(changeOf(braked)).toMatchObject({ dags: [], fingerprint: observed.fingerprint });
    expect(said(braked, "acme", "Stalled")).toBe(
      "True PruneBrake: 2 of 5 DAGs would be pruned, 1 may be without a person",
    );
    expect(said(braked, "a")).toBe("True Applied: armed");
    expect(wide.blocked).toBeNull();
    const waiting = applied(observed, changeOf(braked));
    expect(isTenantNoop(planOf(desired, waiting))).toBe(true);
    expect(isTenantNoop(planOf(desired, waiting, { prunePercent: 40 }))).toBe(false);
  });

  it("lets one DAG of a few go, unless the brake is fully drawn", () => {
    const observed = after(acme({ a: hello(), b: hello() }));

    expect(planOf(desiredOf(acme({ a: hello() })), observed).blocked).toBeNull();
    expect(planOf(desiredOf(acme({ a: hello() })), observed, { prunePercent: 0 }).blocked).not.toBeNull();
  });

  it("holds DAGs whose plugin version came back with other bytes, and keeps the bytes that were applied", () => {
    const world = acme({ hello: hello() });
    const observed = after(world);
    const plan = planOf(desiredOf({ ...world, js: "var plugin={default:{run:()=>({evil:1})}}" }), observed);

    expect(words(plan)).toEqual(["hold hello"]);
    expect(said(plan, "hello")).toContain("PLUGIN_MUTATED");
    expect(plan.snapshot.plugins).toEqual(observed.snapshot?.plugins);
  });

  it("remembers a mutated plugin version although no DAG that was applied uses it any more", () => {
    const observed = after(acme({ a: hello() }));
    const desired = desiredOf({ ...acme({ g: hello() }), js: "var plugin={}" });
    const first = planOf(desired, observed);
    const second = planOf(desired, applied(observed, changeOf(first)));

    expect(words(first)).toEqual(["prune a", "hold g"]);
    expect(words(second)).toEqual(["hold g"]);
  });

  it("remembers a plugin version that nothing is pinned to any more, for ever", () => {
    const gone = after(acme({ a: hello() }), acme({}));
    const mutated = planOf(desiredOf({ ...acme({ b: hello() }), js: "var plugin={}" }), gone);
    const same = planOf(desiredOf(acme({ b: hello() })), gone);

    expect(gone.snapshot?.plugins).toEqual({});
    expect(words(mutated)).toEqual(["hold b"]);
    expect(said(mutated, "b")).toContain("PLUGIN_MUTATED");
    expect(words(same)).toEqual(["create b"]);
  });

  it("holds a DAG whose file was misnamed, and does not prune it", () => {
    const observed = after(acme({ hello: hello() }));
    const plan = planOf(desiredOf(acme({}, { "tenants/acme/dags/Hello.yml": hello() })), observed);

    expect(words(plan)).toEqual(["hold hello"]);
    expect(said(plan, "hello")).toContain("SPEC_PATH");
  });

  it("knows a plugin whose bytes are not those of its manifest as absent", () => {
    const desired = desiredOf(
      acme(
        { hello: hello() },
        {
          "plugins/core.log/1.0.0/plugin.yaml": `apiVersion: orrery/v1\nkind: Plugin\nspec: { service: core, emits: raw, sha256: "${"0".repeat(64)}", input: { type: object }, output: { type: object } }\n`,
        },
      ),
    );
    const plan = planOf(desired);

    expect(words(plan)).toEqual(["hold hello"]);
    expect(plan.findings.map((f) => f.code)).toEqual(expect.arrayContaining(["PLUGIN_DIGEST", "PLUGIN_UNKNOWN"]));
  });

  it("suspends a tenant with all its DAGs", () => {
    const observed = after(acme({ hello: hello() }));
    const suspend = {
      "tenants/acme/tenant.yaml": "apiVersion: orrery/v1\nkind: Tenant\nspec: { owners: [ana], suspend: true }\n",
    };
    const plan = planOf(desiredOf(acme({ hello: hello() }, suspend)), observed);

    expect(words(plan)).toEqual(["update hello suspended"]);
    expect(changeOf(plan).suspended).toBe(true);
    expect(said(plan, "hello")).toContain("False Suspended");
    expect(said(plan, "acme")).toContain("False Suspended");
  });

  it("pins only files that a DAG names, and all while one is held", () => {
    const files = ["data/a.json", "data/b.txt"].map((path) => ({ path, sha256: sha256Hex(path), bytes: 1 }));
    const withFiles = hello().replace("with:", 'files: ["data/*.json"]\n      with:');
    const observed = applied(
      neverApplied("acme"),
      changeOf(planOf(desiredOf({ ...acme({ hello: withFiles }), files }))),
    );
    const held = planOf(desiredOf({ ...acme({ hello: broken }), files }), observed);

    expect(observed.snapshot?.files.map((f) => f.path)).toEqual(["data/a.json"]);
    expect(held.snapshot.files.map((f) => f.path)).toEqual(["data/a.json", "data/b.txt"]);
    expect(pinnedBlobs(held.snapshot)).toHaveLength(3);
  });
});

describe("schedules", () => {
  const later = "2026-05-02T00:00:00.000Z";

  it("start now, with the first slot after it", () => {
    const [write] = changeOf(planOf(desiredOf(acme({ hello: hello("x", every("15m")) })))).dags;

    expect(write).toMatchObject({
      schedules: [{ schedule: "default", watermark: now, nextDue: "2026-05-01T12:15:00.000Z" }],
    });
  });

  it("keep their watermark over an edit; a second one starts at the edit", () => {
    const observed = after(acme({ hello: hello("x", every("1h")) }));
    const two = '  schedules:\n    - { name: default, every: 30m }\n    - { name: nightly, cron: "30 3 * * *" }\n';
    const [write] = changeOf(planOf(desiredOf(acme({ hello: hello("x", two) })), observed), later).dags;

    expect(write).toMatchObject({
      schedules: [
        { schedule: "default", watermark: now, nextDue: "2026-05-01T12:30:00.000Z" },
        { schedule: "nightly", watermark: later, nextDue: "2026-05-02T03:30:00.000Z" },
      ],
    });
  });

  it("whose watermark a wrong clock moved beyond now are pulled back to now, once", () => {
    const world = acme({ hello: hello("x", every("15m")) });
    const observed = after(world);
    const in2031 = "2031-01-01T00:00:00.000Z";
    const jumped: ObservedTenant = {
      ...observed,
      dags: observed.dags.map((dag) => ({
        ...dag,
        schedules: dag.schedules.map((schedule) => ({ ...schedule, watermark: in2031, nextDue: in2031 })),
      })),
    };

    const plan = planOf(desiredOf(world), jumped, { now: later });
    const change = changeOf(plan, later);

    expect(words(plan)).toEqual(["update hello watermark"]);
    expect(change.dags[0]).toMatchObject({
      schedules: [{ from: in2031, watermark: later, nextDue: "2026-05-02T00:15:00.000Z" }],
    });
    expect(isTenantNoop(planOf(desiredOf(world), applied(jumped, change), { now: later }))).toBe(true);
    expect(isTenantNoop(planOf(desiredOf(world), jumped, { now: in2031 }))).toBe(true);
  });

  it("stand in the facts of the record with what recomputes their slots", () => {
    const plan = planOf(desiredOf(acme({ hello: hello("x", every("15m")) })));
    const facts = reconcileFacts(plan, now, sha256);

    expect(facts).toMatchObject({
      from: null,
      to: revision,
      changes: [
        { change: "create", kind: "Tenant", name: "acme" },
        { change: "create", kind: "Quota", name: "acme" },
        { change: "create", kind: "Allowlist", name: "acme" },
        { change: "create", kind: "Plugin", name: "core.log@1.0.0" },
        { change: "create", kind: "Dag", name: "hello", armed: true, suspended: false },
      ],
      held: [],
      activations: [{ dagId: "hello", schedule: "default", every: 900_000, zone: "UTC", activeFrom: now }],
    });
  });
});

describe("planChanges and renderPlan", () => {
  const site = (desired: ReturnType<typeof desiredOf>[], observed = [neverApplied("acme")]) =>
    planChanges({ revision, prunePercent: 20, tenants: desired, findings: [] }, observed);

  it("says a line per change with its place and number", () => {
    const observed = after(acme({ gone: hello(), hello: hello() }));
    const plan = site([desiredOf(acme({ hello: broken, fresh: hello("x", every("15m")) }))], [observed]);
    const text = renderPlan(plan);

    expect(plan).toMatchObject({ complete: false, applyable: true });
    expect(text).toContain("tenant acme\n");
    expect(text).toMatch(/ {2}\+ Dag fresh: new at [0-9a-f]{12}, armed \(default every 15m\)/);
    expect(text).toMatch(/ {2}- Dag gone: gone from the repository/);
    expect(text).toMatch(/ {2}! Dag hello: held at [0-9a-f]{12}/);
    expect(text).toMatch(/error tenants\/acme\/dags\/hello\.yaml:4:3 ORY2\d{3} SPEC_/);
    expect(text).toContain("Plan: 1 to create, 0 to update, 1 to prune, 1 held.");
  });

  it("says that nothing is to do", () => {
    const world = acme({ hello: hello() });

    expect(renderPlan(site([desiredOf(world)], [after(world)]))).toMatch(/^No changes\./);
  });

  it("attack: control characters of a spec do not reach a terminal", () => {
    const evil = `apiVersion: orrery/v1\nkind: Dag\nspec:\n  "st\\e[2Jeps\\u202e": 1\n`;
    const text = renderPlan(site([desiredOf(acme({ evil }))]));

    expect(text).toContain("SPEC_");
    expect(text).not.toMatch(/[\u001b\u202e]/);
  });

  it("is not applyable where everything is held back, and says so", () => {
    const plan = site([desiredOf({ documents: { "tenants/acme/quota.yaml": "x" } })]);

    expect(plan).toMatchObject({ complete: false, applyable: false });
    expect(renderPlan(plan)).toContain("! held as a whole");
  });

  it("leaves a tenant alone that nobody asked about", () => {
    expect(site([], [after(acme({ hello: hello() }))]).tenants).toEqual([]);
  });
});

it("another tenant's document is not looked at", () => {
  const desired = desiredOf(
    acme(
      { hello: hello() },
      { "tenants/borealis/quota.yaml": "x", "tenants/borealis/dags/b.yaml": hello(), [dagPath("own")]: hello() },
    ),
  );

  expect(desired.kind === "readable" && desired.dags.map((d) => d.dagId)).toEqual(["hello", "own"]);
});
