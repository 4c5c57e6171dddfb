import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/base/index.ts";
import { guardTenant, type Principal, type Scope, tenantOfHeaders } from "../../../src/identity/index.ts";
import { parseScopes } from "../../../src/identity/principal.ts";

const codeOf = (work: () => unknown): string | null => {
  try {
    work();
    return null;
  } catch (error) {
    return error instanceof Fault ? error.code : "no Fault";
  }
};

describe("the tenant of a request", () => {
  it.each([
    ["acme", undefined],
    [undefined, "acme"],
    ["acme", "acme"],
    [["acme", "acme"], undefined],
  ])("%s and %s say acme", (stella, stellaOps) => {
    expect(tenantOfHeaders(stella, stellaOps)).toBe("acme");
  });

  it.each([
    [undefined, undefined, "TENANT_REQUIRED"],
    ["", undefined, "TENANT_REQUIRED"],
    ["", "acme", "TENANT_REQUIRED"],
    [[], undefined, "TENANT_REQUIRED"],
    ["acme", "borealis", "TENANT_MISMATCH"],
    ["acme", "", "TENANT_MISMATCH"],
    ["acme", "ACME", "TENANT_MISMATCH"],
    [["acme", "borealis"], undefined, "TENANT_MISMATCH"],
  ])("%s and %s is refused", (stella, stellaOps, code) => {
    expect(codeOf(() => tenantOfHeaders(stella, stellaOps))).toBe(code);
  });

  it("law: one name is answered only where every header says that name", () => {
    const header = fc.option(
      fc.oneof(fc.constantFrom("acme", "borealis", ""), fc.array(fc.constantFrom("acme", "b"))),
      {
        nil: undefined,
      },
    );
    fc.assert(
      fc.property(header, header, (a, b) => {
        const said = [a, b].flatMap((value) => value ?? []);
        const isOne = said.length > 0 && said[0] !== "" && new Set(said).size === 1;
        expect(codeOf(() => tenantOfHeaders(a, b)) === null).toBe(isOne);
      }),
    );
  });
});

describe("scopes", () => {
  it.each([
    ["orchestrator:read", ["read"]],
    ["orchestrator:operate", ["operate", "read"]],
    ["orchestrator:write", ["operate", "read"]],
    ["orchestrator:admin", ["admin", "operate", "read"]],
    ["openid orchestrator:read other:admin", ["read"]],
    ["orchestrator:Read orchestrator: orchestrator:readx read admin", []],
    ["", []],
  ])("%s holds %j", (text, held) => {
    expect([...parseScopes(text)].sort()).toEqual(held);
  });

  it("law: a caller passes only with the tenant of the token and a scope that it holds", () => {
    const scopes: readonly Scope[] = ["read", "operate", "admin"];
    const name = fc.constantFrom("acme", "borealis", "*", "Acme");
    fc.assert(
      fc.property(name, name, fc.subarray([...scopes]), fc.constantFrom(...scopes), (own, asked, held, wanted) => {
        const principal: Principal = { subject: "ana", tenant: own, scopes: new Set(held) };
        const code = codeOf(() => guardTenant(principal, asked, { scope: wanted, isOfSite: false }));
        const refused = held.includes(wanted) ? (own === "*" ? "TENANT_MISMATCH" : null) : "SCOPE_REQUIRED";
        expect(code).toBe(own !== asked ? "TENANT_MISMATCH" : refused);
      }),
    );
  });

  it("what is of the whole site is for a site operator alone, who reaches nothing of a tenant", () => {
    const of = (tenant: string): Principal => ({ subject: "omar", tenant, scopes: new Set<Scope>(["admin"]) });
    const ask = (tenant: string, isOfSite: boolean) =>
      codeOf(() => guardTenant(of(tenant), tenant, { scope: "admin", isOfSite }));

    expect([ask("*", true), ask("acme", true), ask("*", false), ask("acme", false)]).toEqual([
      ...[null, "TENANT_MISMATCH", "TENANT_MISMATCH", null],
    ]);
  });
});
