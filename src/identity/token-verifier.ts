import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { type Clock, Fault } from "../base/index.ts";
import { sha256Hex } from "../base/node-digest.ts";
import { isId } from "../spec/index.ts";
import { audience, issuer } from "./api-key.ts";
import { everyTenant, type Principal, parseScopes } from "./principal.ts";

export interface TokenVerifier {
  /** Fault TOKEN_REQUIRED for whatever is no valid token; the cause stays inside. */
  verify(token: string): Promise<Principal>;
}

const maxCached = 1000;

/** Checks JWTs against a local JWKS (no network); a checked token is remembered by its hash until it expires. */
export function createTokenVerifier(jwks: JSONWebKeySet, clock: Clock): TokenVerifier {
  const keys = createLocalJWKSet(jwks);
  const checked = new Map<string, { readonly principal: Principal; readonly expiresMs: number }>();
  return {
    verify: async (token) => {
      const id = sha256Hex(token);
      const known = checked.get(id);
      if (known !== undefined && known.expiresMs > clock.now().getTime()) return known.principal;
      checked.delete(id);
      const { principal, expiresMs } = await check(token, keys, clock.now());
      if (checked.size >= maxCached) checked.clear();
      checked.set(id, { principal, expiresMs });
      return principal;
    },
  };
}

async function check(
  token: string,
  keys: ReturnType<typeof createLocalJWKSet>,
  now: Date,
): Promise<{ principal: Principal; expiresMs: number }> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: ["EdDSA", "ES256", "RS256"],
      clockTolerance: 30,
      requiredClaims: ["exp", "sub", "tenant"],
      typ: "at+jwt",
      currentDate: now,
    });
    const { sub, exp, tenant, scope } = payload;
    if (
      typeof tenant !== "string" ||
      !(isId(tenant) || tenant === everyTenant) ||
      sub === undefined ||
      exp === undefined
    )
      throw new Error("claims");
    return {
      principal: { subject: sub, tenant, scopes: parseScopes(typeof scope === "string" ? scope : "") },
      expiresMs: exp * 1000,
    };
  } catch (error) {
    throw new Fault("TOKEN_REQUIRED", "the bearer token is missing, expired, or not signed by a key of this site", {
      cause: error,
    });
  }
}
