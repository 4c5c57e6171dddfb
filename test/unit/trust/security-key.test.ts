import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { nodeTrustCrypto } from "../../../src/signer/index.ts";
import { armorSshsig, signedData, verifySshsig, wireString } from "../../../src/trust/index.ts";

// Built by hand from PROTOCOL.u2f and PROTOCOL.sshsig: ssh-keygen signs with such keys only where one is plugged in.
const application = "ssh:";
const message = Buffer.from("what was signed\n");
const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();
const sha512 = (bytes: Uint8Array): Buffer => createHash("sha512").update(bytes).digest();

interface SecurityKey {
  readonly type: string;
  readonly blob: Uint8Array;
  readonly sign: (bytes: Uint8Array) => Uint8Array;
}

const jwkBytes = (key: KeyObject, member: "x" | "y"): Buffer =>
  Buffer.from(key.export({ format: "jwk" })[member] ?? "", "base64url");
const mpint = (bytes: Buffer): Uint8Array => {
  const trimmed = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
  return wireString((trimmed[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), trimmed]) : trimmed);
};

function ed25519(): SecurityKey {
  const type = "sk-ssh-ed25519@openssh.com";
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const blob = Buffer.concat([wireString(type), wireString(jwkBytes(publicKey, "x")), wireString(application)]);
  return { type, blob, sign: (bytes) => sign(null, bytes, privateKey) };
}

function ecdsa(): SecurityKey {
  const type = "sk-ecdsa-sha2-nistp256@openssh.com";
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const point = Buffer.concat([Buffer.of(4), jwkBytes(publicKey, "x"), jwkBytes(publicKey, "y")]);
  const blob = Buffer.concat([type, "nistp256", point, application].map((part) => wireString(part)));
  return {
    ...{ type, blob },
    sign: (bytes) => {
      const pair = sign("sha256", bytes, { key: privateKey, dsaEncoding: "ieee-p1363" });
      return Buffer.concat([mpint(pair.subarray(0, 32)), mpint(pair.subarray(32))]);
    },
  };
}

interface Touching {
  readonly flags?: number;
  /** What is written, where it is not what was signed. */
  readonly written?: { readonly flags?: number; readonly counter?: Uint8Array };
  readonly application?: string;
}

function verdictOn(key: SecurityKey, { flags = 1, written = {}, application: of = application }: Touching = {}) {
  const counter = Buffer.of(0, 0, 0, 9);
  const data = signedData("git", "sha512", sha512(message));
  const raw = key.sign(Buffer.concat([sha256(Buffer.from(of)), Buffer.of(flags), counter, sha256(data)]));
  const touch = { flags, counter, ...written };
  const armored = armorSshsig({ blob: key.blob, namespace: "git", hash: "sha512", algorithm: key.type, raw, touch });
  return verifySshsig(nodeTrustCrypto, { armored, message, namespace: "git" });
}

describe.each([
  ["ed25519", ed25519],
  ["ecdsa", ecdsa],
])("a signature by a security key (%s)", (_, make) => {
  const key = make();

  it("is good when somebody touched the key, verified or not", () => {
    expect(verdictOn(key)).toMatchObject({ ok: true });
    expect(verdictOn(key, { flags: 5 })).toMatchObject({ ok: true });
  });

  it("is not when nobody did", () => {
    expect(verdictOn(key, { flags: 0 })).toMatchObject({ ok: false, reason: "nobody touched the security key" });
    expect(verdictOn(key, { flags: 4 })).toMatchObject({ ok: false, reason: "nobody touched the security key" });
  });

  it.each<[string, Touching]>([
    ["flags", { written: { flags: 5 } }],
    ["a counter", { written: { counter: Buffer.of(0, 0, 0, 8) } }],
    ["an application", { application: "https://evil.example" }],
    ["a touch that the key did not sign", { flags: 0, written: { flags: 1 } }],
  ])("is not with other %s than were signed", (_name, touching) => {
    expect(verdictOn(key, touching)).toMatchObject({ ok: false, reason: "the signed bytes are not these bytes" });
  });

  it("is not of another key of its kind", () => {
    const other = make();

    expect(verdictOn({ ...key, sign: other.sign }).ok).toBe(false);
  });
});
