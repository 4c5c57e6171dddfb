import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeTrustCrypto as crypto } from "../../../src/signer/index.ts";
import {
  armorSshsig,
  fingerprintOf,
  parsePublicKey,
  parseSshsig,
  publicKeyLine,
  type Sshsig,
  signedData,
  verifySshsig,
  wireString,
} from "../../../src/trust/index.ts";
import { rounds } from "../../support/effort.ts";
import vectors from "../../vectors/sshsig.json" with { type: "json" };

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
const [, second] = vectors.cases;
const sample = { ...second!, message: bytesOf(second!.messageHex) };

function parsedSample(): Sshsig {
  const sshsig = parseSshsig(sample.armored);
  if (!sshsig.ok) throw new Error(sshsig.reason);
  return sshsig.value;
}

/** An armor around bytes that need be no SSHSIG. */
function armorOf(bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,70}/g) ?? [];
  return ["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----", ""].join("\n");
}

const bodyOf = (armored: string): Buffer => Buffer.from(armored.split("\n").slice(1, -2).join(""), "base64");

describe("vectors that ssh-keygen made", () => {
  it.each(vectors.cases)("verify: $namespace, $hash", ({ namespace, messageHex, armored }) => {
    const verdict = verifySshsig(crypto, { armored, message: bytesOf(messageHex), namespace });

    expect(verdict).toMatchObject({ ok: true, fingerprint: vectors.key.fingerprint });
  });

  it.each(vectors.cases)("are armored again to the same text: $namespace, $hash", ({ armored }) => {
    const sshsig = parseSshsig(armored);

    expect(sshsig.ok && armorSshsig(sshsig.value)).toBe(armored);
  });

  it("have the line and fingerprint that ssh-keygen prints", () => {
    const key = parsePublicKey(vectors.key.publicKey);
    if (!key.ok) throw new Error(key.reason);

    expect(key.value.comment).toBe("vector@orrery.example");
    expect(`${publicKeyLine(key.value.blob)} ${key.value.comment}`).toBe(vectors.key.publicKey);
    expect(fingerprintOf(key.value.blob, crypto.sha256)).toBe(vectors.key.fingerprint);
  });
});

describe("a signature is refused", () => {
  const verify = (armored: string, over: Partial<{ message: Uint8Array; namespace: string }> = {}) =>
    verifySshsig(crypto, { armored, message: sample.message, namespace: sample.namespace, ...over });

  it("for another namespace, so that a signed checkpoint is never a signed commit", () => {
    expect(verify(sample.armored, { namespace: "orrery-checkpoint" })).toMatchObject({
      ok: false,
      code: "TRUST_BAD_SIGNATURE",
      reason: "it is for the namespace git, not orrery-checkpoint",
    });
  });

  it("for any other message", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (message) => {
        fc.pre(!Buffer.from(message).equals(sample.message));

        expect(verify(sample.armored, { message }).ok).toBe(false);
      }),
      { numRuns: rounds(50, 1250) },
    );
  });

  it("with any one bit of it flipped", () => {
    const body = bodyOf(sample.armored);
    for (let bit = 0; bit < body.length * 8; bit++) {
      const changed = Buffer.from(body);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);

      expect(verify(armorOf(changed)).ok, `bit ${bit}`).toBe(false);
    }
  });

  it("cut at any byte, or with a byte behind it", () => {
    const body = bodyOf(sample.armored);
    for (let length = 0; length < body.length; length++) {
      expect(parseSshsig(armorOf(body.subarray(0, length))).ok, `${length} bytes`).toBe(false);
    }

    expect(parseSshsig(armorOf(Buffer.concat([body, Buffer.of(0)])))).toEqual({
      ok: false,
      reason: "1 bytes too many at its end",
    });
  });

  it.each([
    ["truncated", sample.armored.slice(0, -20)],
    ["without header", sample.armored.slice(sample.armored.indexOf("\n") + 1)],
    ["followed by text", `${sample.armored}and more\n`],
    ["followed by a blank line", `${sample.armored}\n`],
    ["led by text", `x\n${sample.armored}`],
    ["with Windows line ends", sample.armored.replaceAll("\n", "\r\n")],
    ["with a blank in its base64", sample.armored.replace("U1NI", "U1 NI")],
    ["of another kind", sample.armored.replaceAll("SSH SIGNATURE", "PGP SIGNATURE")],
    ["empty", ""],
    ["too long", "-".repeat(100_000)],
  ])("when its armor is %s", (_, armored) => {
    expect(verify(armored)).toMatchObject({ ok: false, code: "TRUST_BAD_SIGNATURE" });
  });

  it("when bytes hide in its reserved field, which OpenSSH does not sign", () => {
    const { blob, namespace, hash, algorithm, raw } = parsedSample();
    const signature = Buffer.concat([wireString(algorithm), wireString(raw)]);
    const parts = [blob, Buffer.from(namespace), Buffer.from("hidden"), Buffer.from(hash), signature];
    const body = Buffer.concat([
      Buffer.from("SSHSIG"),
      Buffer.of(0, 0, 0, 1),
      ...parts.map((part) => wireString(part)),
    ]);

    expect(parseSshsig(armorOf(body))).toEqual({ ok: false, reason: "its reserved field is not empty" });
  });

  it.each(["ssh-dss", "ssh-future", "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"])(
    "by a key of type %s, by name",
    (type) => {
      const armored = armorSshsig({ ...parsedSample(), blob: Buffer.concat([wireString(type), wireString("x")]) });

      expect(verify(armored)).toEqual({
        ok: false,
        code: "TRUST_KEY_TYPE",
        reason: `it is made with a key of type ${type}`,
      });
    },
  );

  it("by a certificate, by name", () => {
    const type = "ssh-ed25519-cert-v01@openssh.com";
    const armored = armorSshsig({ ...parsedSample(), blob: Buffer.from(wireString(type)) });

    expect(verify(armored)).toMatchObject({
      ok: false,
      code: "TRUST_KEY_TYPE",
      reason: expect.stringContaining(type) as string,
    });
  });

  it("with the algorithm of another type than its key", () => {
    const armored = armorSshsig({ ...parsedSample(), algorithm: "rsa-sha2-512" });

    expect(verify(armored)).toMatchObject({
      ok: false,
      reason: "a key of this type does not sign as rsa-sha2-512",
    });
  });
});

describe("hostile bytes", () => {
  it("never throw, whatever they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, magic) => {
        const armored = armorOf(magic ? Buffer.concat([Buffer.from("SSHSIG\0\0\0\u0001"), bytes]) : bytes);

        expect(verifySshsig(crypto, { armored, message: bytes, namespace: "git" }).ok).toBe(false);
      }),
    );
  });

  it("a length of 4 GiB is refused before anything is kept", () => {
    const body = Buffer.concat([Buffer.from("SSHSIG"), Buffer.of(0, 0, 0, 1, 255, 255, 255, 255)]);

    expect(parseSshsig(armorOf(body))).toEqual({ ok: false, reason: "it ends too early" });
  });
});

it("signs over the namespace, the hash's name and the digest, each with its length", () => {
  const data = Buffer.from(signedData("git", "sha512", Uint8Array.of(1, 2)));

  expect(data.toString("latin1")).toBe("SSHSIG\0\0\0\u0003git\0\0\0\0\0\0\0\u0006sha512\0\0\0\u0002\u0001\u0002");
});
