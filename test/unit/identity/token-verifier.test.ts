import { generateKeyPairSync } from "node:crypto";
import { exportJWK, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { type ApiKey, createTokenVerifier, issueToken } from "../../../src/identity/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const start = "2026-11-24T00:00:00.000Z";
const nowSeconds = Date.parse(start) / 1000;

async function newKey(): Promise<ApiKey> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { key: privateKey, jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: "local", alg: "EdDSA" }] } };
}

async function setup() {
  const key = await newKey();
  const clock = new FakeClock(start);
  const request = { subject: "ana", tenant: "acme", scopes: ["operate"], nowSeconds, ttlSeconds: 60 };
  return { key, clock, request, verifier: createTokenVerifier(key.jwks, clock) };
}

const refused = { code: "TOKEN_REQUIRED" };

describe("token verifier", () => {
  it("answers subject, tenant and scopes of a token of this site", async () => {
    const { key, request, verifier } = await setup();

    const principal = await verifier.verify(await issueToken(key, request));

    expect(principal).toEqual({ subject: "ana", tenant: "acme", scopes: new Set(["read", "operate"]) });
  });

  it("a token that was checked once is not good for ever", async () => {
    const { key, clock, request, verifier } = await setup();
    const token = await issueToken(key, request);
    await verifier.verify(token);

    clock.setWall("2026-11-24T00:01:31.000Z");

    await expect(verifier.verify(token)).rejects.toMatchObject(refused);
  });

  it("refuses a key of another site, and one that only claims the same key id", async () => {
    const { request, verifier } = await setup();

    await expect(verifier.verify(await issueToken(await newKey(), request))).rejects.toMatchObject(refused);
  });

  const good = { typ: "at+jwt", issuer: "orrery", audience: "orrery-api", expires: nowSeconds + 60 };

  async function verifyWith(claims: { typ: string; issuer: string; audience: string; expires: number | null }) {
    const { key, verifier } = await setup();
    const token = new SignJWT({ tenant: "acme", scope: "orchestrator:admin" })
      .setProtectedHeader({ alg: "EdDSA", kid: "local", typ: claims.typ })
      .setIssuer(claims.issuer)
      .setAudience(claims.audience)
      .setSubject("ana");
    if (claims.expires !== null) token.setExpirationTime(claims.expires);
    return verifier.verify(await token.sign(key.key));
  }

  it.each([
    ["another issuer", { issuer: "other" }],
    ["another audience", { audience: "other" }],
    ["no expiry", { expires: null }],
    ["another type", { typ: "JWT" }],
  ])("refuses a token with %s, and only for that", async (_what, change) => {
    await expect(verifyWith(good)).resolves.toMatchObject({ subject: "ana" });

    await expect(verifyWith({ ...good, ...change })).rejects.toMatchObject(refused);
  });

  it.each(["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])("refuses %j and shows no cause", async (token) => {
    const { verifier } = await setup();

    await expect(verifier.verify(token)).rejects.toMatchObject({
      ...refused,
      message: expect.not.stringMatching(/jw[st]/i) as unknown,
    });
  });

  it.each(["**", "Acme", "a b", "../acme", ""])("refuses the tenant %j, whoever signed it", async (tenant) => {
    const { key, request, verifier } = await setup();

    await expect(verifier.verify(await issueToken(key, { ...request, tenant }))).rejects.toMatchObject(refused);
  });
});
