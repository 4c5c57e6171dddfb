import { Fault } from "../base/index.ts";
import { everyTenant, type Principal, type Scope } from "./principal.ts";

type Header = string | readonly string[] | undefined;

/** What a request says of its tenant: both header names are accepted, both and different is refused. */
export function tenantOfHeaders(stella: Header, stellaOps: Header): string {
  const named = [stella, stellaOps].flatMap((value) =>
    value === undefined ? [] : typeof value === "string" ? [value] : [...value],
  );
  const [tenant] = named;
  if (tenant === undefined || tenant === "")
    throw new Fault("TENANT_REQUIRED", "send the tenant in the header X-Stella-Tenant");
  if (named.some((value) => value !== tenant)) throw new Fault("TENANT_MISMATCH", "the tenant headers differ");
  return tenant;
}

/**
 * Token claim = header, and the scope is held. A site operator reaches what is of the whole site and nothing of a tenant,
 * and the other way round. Throws a Fault of disposition `refuse`.
 */
export function guardTenant(
  principal: Principal,
  tenant: string,
  { scope, isOfSite }: { readonly scope: Scope; readonly isOfSite: boolean },
): void {
  if (principal.tenant !== tenant)
    throw new Fault("TENANT_MISMATCH", "the token is for another tenant than the header");
  if (!principal.scopes.has(scope)) throw new Fault("SCOPE_REQUIRED", `the token lacks orchestrator:${scope}`);
  if ((tenant === everyTenant) !== isOfSite)
    throw new Fault("TENANT_MISMATCH", isOfSite ? "this is of the whole site: tenant *" : "this is of one tenant");
}
