import { describe, expect, it } from "vitest";
import { sha256 } from "../../../src/base/node-digest.ts";
import { isTenantNoop, reconcileFacts } from "../../../src/plan/index.ts";
import { decodeDocument } from "../../../src/spec/index.ts";
import { acme, after, applied, changeOf, desiredOf, hello, planOf, said, type World, words } from "./plan-fixture.ts";

const before = "2026-12-23T23:59:59.999Z";
const during = "2026-12-24T00:00:00.000Z";
const end = "2026-12-27T00:00:00.000Z";

const tenantText = (freeze: string): string =>
  `apiVersion: orrery/v1\nkind: Tenant\nspec:\n  owners: [ana@acme.example]\n  freeze: ${freeze}\n`;
const frozen = tenantText('[{ from: "2026-12-24T00:00:00Z", until: "2026-12-27T00:00:00Z", rationale: holidays }]');
const world = (dags: Record<string, string>, more: Record<string, string> = {}): World =>
  acme(dags, { "tenants/acme/tenant.yaml": frozen, ...more });

describe("a freeze window", () => {
  it("lets changes wait from its first to its last instant, whatever they are, and says until when", () => {
    const stands = after(world({ a: hello() }));
    const quota = { "tenants/acme/quota.yaml": "apiVersion: orrery/v1\nkind: Quota\nspec: { weight: 3 }\n" };
    const changes = [
      world({ a: hello("other") }),
      world({ a: hello(), b: hello() }),
      world({}),
      world({ a: hello() }, quota),
    ];

    for (const change of changes) {
      const plan = planOf(desiredOf(change), stands, { now: during, prunePercent: 100 });

      expect(plan.blocked).toEqual({ kind: "freeze", until: end, rationale: "holidays" });
      expect(changeOf(plan).dags).toEqual([]);
      expect(said(plan, "acme", "Stalled")).toContain(`Frozen: changes wait until ${end}: holidays`);
      expect(reconcileFacts(plan, during, sha256)).toBeNull();
      for (const now of [before, end, null])
        expect(planOf(desiredOf(change), stands, { now, prunePercent: 100 }).blocked).toBeNull();
    }
  });

  it("says so once, and applies by itself when it ends", () => {
    const stands = after(world({ a: hello() }));
    const want = desiredOf(world({ a: hello("other") }));

    const waiting = applied(stands, changeOf(planOf(want, stands, { now: during }), during));
    const again = planOf(want, waiting, { now: during });
    const later = planOf(want, waiting, { now: end });

    expect(isTenantNoop(again)).toBe(true);
    expect(words(later)).toEqual(["update a spec"]);
  });

  it("does not stop a tenant from beginning, nor the commit that lifts it, nor one that changes nothing", () => {
    const stands = after(world({ a: hello() }));
    const lifted = acme({ a: hello("other") }, { "tenants/acme/tenant.yaml": tenantText("[]") });

    expect(planOf(desiredOf(world({ a: hello() })), undefined, { now: during }).blocked).toBeNull();
    expect(planOf(desiredOf(lifted), stands, { now: during }).blocked).toBeNull();
    expect(planOf(desiredOf(world({ a: hello() })), stands, { now: during }).blocked).toBeNull();
  });

  it.each([
    ['[{ from: "2026-12-24T00:00:00Z", until: "2026-12-24T00:00:00Z", rationale: x }]', "/spec/freeze/0/until"],
    ['[{ from: "2026-02-31T00:00:00Z", until: "2026-12-24T00:00:00Z", rationale: x }]', "/spec/freeze/0/from"],
    ['[{ from: "2026-12-24", until: "2026-12-25T00:00:00Z", rationale: x }]', "/spec/freeze/0/from"],
    ['[{ from: "2026-12-24T00:00:00Z", until: "2026-12-25T00:00:00Z" }]', "/spec/freeze/0"],
  ])("that is none is refused with its place: %s", (freeze, pointer) => {
    const decoded = decodeDocument({ path: "tenants/acme/tenant.yaml", bytes: Buffer.from(tenantText(freeze)) });

    expect(decoded.ok).toBe(false);
    if (!decoded.ok)
      expect(decoded.findings.map((finding) => [finding.pointer, finding.line > 0])).toEqual([[pointer, true]]);
  });
});
