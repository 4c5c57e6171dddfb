import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import path from "node:path";
import { exportJWK, type JSONWebKeySet, SignJWT } from "jose";
import { Fault } from "../base/index.ts";

/** The daemon's own token key, `<data>/keys/api.key` (EdDSA, 0600): who can read it is an operator of this machine. */
export interface ApiKey {
  readonly key: KeyObject;
  readonly jwks: JSONWebKeySet;
}

const apiKeyFileOf = (dataDir: string): string => path.join(dataDir, "keys", "api.key");
export const issuer = "orrery";
export const audience = "orrery-api";
const keyId = "local";

/** Reads the key; makes it first where `create` says so. Fault KEY_UNREADABLE where others could read it. */
export async function openApiKey(dataDir: string, create: boolean): Promise<ApiKey> {
  const file = apiKeyFileOf(dataDir);
  if (!existsSync(file)) {
    if (!create) throw new Fault("DAEMON_UNREACHABLE", `no token key in ${dataDir}: did a daemon ever run there?`);
    writeKey(file);
  }
  let pem: string;
  try {
    if ((statSync(file).mode & 0o077) !== 0)
      throw new Fault("KEY_UNREADABLE", `${file} can be read by others: chmod 600`);
    pem = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault("KEY_UNREADABLE", `${file} cannot be read: run the command as the daemon's user`, { cause: error });
  }
  const key = createPrivateKey(pem);
  const publicJwk = await exportJWK(createPublicKey(key));
  return { key, jwks: { keys: [{ ...publicJwk, kid: keyId, alg: "EdDSA", use: "sig" }] } };
}

export interface TokenRequest {
  readonly subject: string;
  readonly tenant: string;
  readonly scopes: readonly string[];
  readonly nowSeconds: number;
  readonly ttlSeconds: number;
}

/** A short JWT for one tenant. */
export async function issueToken({ key }: ApiKey, request: TokenRequest): Promise<string> {
  return new SignJWT({
    tenant: request.tenant,
    scope: request.scopes.map((scope) => `orchestrator:${scope}`).join(" "),
  })
    .setProtectedHeader({ alg: "EdDSA", kid: keyId, typ: "at+jwt" })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(request.subject)
    .setIssuedAt(request.nowSeconds)
    .setExpirationTime(request.nowSeconds + request.ttlSeconds)
    .sign(key);
}

function writeKey(file: string): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync("ed25519");
  const fd = openSync(file, "wx", 0o600);
  try {
    writeSync(fd, privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
