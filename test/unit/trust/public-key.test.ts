import { describe, expect, it } from "vitest";
import { bytesOfBase64, keyTypeOf, parsePublicKey, wireString } from "../../../src/trust/index.ts";
import vectors from "../../vectors/sshsig.json" with { type: "json" };

const [type = "", base64 = ""] = vectors.key.publicKey.split(" ");

describe("a public key line", () => {
  it("may have a comment with blanks, and a line end", () => {
    expect(parsePublicKey(`${type}\t${base64}  Ana at the desk \n`)).toMatchObject({
      ok: true,
      value: { type, comment: "Ana at the desk" },
    });
  });

  const short = Buffer.concat([wireString(type), wireString("31 bytes of a key are too few..")]).toString("base64");
  it.each([
    ["nothing", "", /not a public key/],
    ["a type alone", "ssh-ed25519", /not a public key/],
    ["an unknown type", `ssh-future ${base64}`, /ssh-future: unknown key type/],
    ["a certificate", `ssh-ed25519-cert-v01@openssh.com ${base64}`, /certificates are not accepted/],
    ["another type than its blob", `ssh-rsa ${base64}`, /not of the type ssh-rsa/],
    ["base64 with bits to spare", `${type} ${base64.slice(0, -1)}5`, /./],
    ["base64 without padding", `${type} AAAAC3NzaC1lZDI1NTE5AAA`, /not base64/],
    ["a key of 31 bytes", `${type} ${short}`, /32 bytes/],
    ["a private key", vectors.key.privateKey, /./],
  ])("that is %s is refused with the reason", (_, line, reason) => {
    const parsed = parsePublicKey(line);

    expect(parsed.ok ? "accepted" : parsed.reason).toMatch(reason);
  });

  it.each([
    "0000000000000000000000000000000000000000000000000000000000000080",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  ])("of an ed25519 point of small order, %s, is refused for a plain and for a security key", (point) => {
    for (const kind of [type, "sk-ssh-ed25519@openssh.com"]) {
      const parts = [kind, Buffer.from(point, "hex"), ...(kind === type ? [] : ["ssh:"])];
      const blob = Buffer.concat(parts.map((part) => wireString(part))).toString("base64");

      const parsed = parsePublicKey(`${kind} ${blob}`);

      expect(parsed.ok ? "accepted" : parsed.reason).toMatch(/small order/);
    }
  });

  it("of two million blanks is read in no time", () => {
    const started = performance.now();

    parsePublicKey(`ssh-ed25519 ${" ".repeat(2_000_000)}x `);

    expect(performance.now() - started).toBeLessThan(1000);
  });
});

it("a blob that is no key has the type unknown", () => {
  expect(keyTypeOf(Uint8Array.of(255, 255, 255, 255))).toBe("unknown");
});

it("base64 has one text for each value", () => {
  expect(bytesOfBase64("AA==")).toEqual(Uint8Array.of(0));
  for (const text of ["AB==", "AA=", "AA", " AA==", "AA==\n", "A===", "A-_="]) expect(bytesOfBase64(text)).toBeNull();
});
