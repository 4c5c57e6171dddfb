import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPrivateKeyFile, nodeTrustCrypto, readPrivateKey, signSshsig } from "../../../src/signer/index.ts";
import { fingerprintOf, publicKeyLine, verifySshsig } from "../../../src/trust/index.ts";
import { rounds } from "../../support/effort.ts";
import { type ScratchDir, scratchDir } from "../../support/git-fixtures.ts";
import vectors from "../../vectors/sshsig.json" with { type: "json" };
import { sshKeygen, stockKey } from "./ssh-keygen.ts";

const bytesOf = (hex: string): Buffer => Buffer.from(hex, "hex");

function keyFile(scratch: ScratchDir, text: string, mode = 0o600): string {
  const path = scratch.join("key");
  writeFileSync(path, text, { mode });
  chmodSync(path, mode);
  return path;
}

/** The signature file that ssh-keygen writes for a message. */
function stockSignature(scratch: ScratchDir, key: string, namespace: string, message: Uint8Array): string {
  const file = scratch.join(`m${Math.random()}`);
  writeFileSync(file, message);
  const signed = sshKeygen(["-Y", "sign", "-f", key, "-n", namespace, file]);
  if (!signed.ok) throw new Error(signed.out);
  return readFileSync(`${file}.sig`, "utf8");
}

describe("a private key file", () => {
  it("signs byte for byte what ssh-keygen wrote into the vectors", () => {
    using scratch = scratchDir();
    const key = readPrivateKey(keyFile(scratch, vectors.key.privateKey));

    expect(`${publicKeyLine(key.blob)} ${key.comment}`).toBe(vectors.key.publicKey);
    for (const { namespace, hash, messageHex, armored } of vectors.cases) {
      if (hash === "sha512") expect(signSshsig(key, namespace, bytesOf(messageHex))).toBe(armored);
    }
  });

  it("made by ssh-keygen is read whatever its comment's length, and both sign the same bytes", () => {
    using scratch = scratchDir();
    for (let length = 0; length < 9; length++) {
      const path = stockKey(scratch.join(`k${length}`), { comment: "c".repeat(length) });
      const key = readPrivateKey(path);
      const message = Buffer.from(`message ${length}\n`);

      expect(key.comment).toBe("c".repeat(length));
      expect(signSshsig(key, "git", message)).toBe(stockSignature(scratch, path, "git", message));
    }
  });

  it.each([0o640, 0o604, 0o620, 0o601, 0o777, 0o644])("of mode %o is refused", (mode) => {
    using scratch = scratchDir();
    const path = keyFile(scratch, vectors.key.privateKey, mode);

    expect(() => readPrivateKey(path)).toThrow(/mode 0\d{3} is too open: chmod 600/);
  });

  it("with a passphrase is refused, and says that ssh-agent helps", () => {
    using scratch = scratchDir();
    const path = stockKey(scratch.join("locked"), { passphrase: "correct horse" });

    expect(() => readPrivateKey(path)).toThrow(
      expect.objectContaining({ code: "KEY_UNREADABLE", message: expect.stringContaining("ssh-agent") as string }),
    );
  });

  it.each(["rsa", "ecdsa"])("of type %s is refused by name", (type) => {
    using scratch = scratchDir();
    const path = stockKey(scratch.join("other"), { type });

    expect(() => readPrivateKey(path)).toThrow(/is of type (ssh-rsa|ecdsa-sha2-nistp\d+): only ssh-ed25519 signs/);
  });

  it("that is missing, a directory, a FIFO, empty or a public key is refused without waiting", () => {
    using scratch = scratchDir();
    const fifo = scratch.join("fifo");
    execFileSync("mkfifo", ["-m", "600", fifo]);

    expect(() => readPrivateKey(scratch.join("nothing"))).toThrow("cannot be opened");
    expect(() => readPrivateKey(scratch.path)).toThrow("is no key file");
    expect(() => readPrivateKey(fifo)).toThrow("is no key file");
    expect(() => readPrivateKey(keyFile(scratch, ""))).toThrow("is no OpenSSH private key file");
    expect(() => readPrivateKey(keyFile(scratch, vectors.key.publicKey))).toThrow("is no OpenSSH private key file");
  });

  it("with any byte changed is refused or is still the same key", () => {
    using scratch = scratchDir();
    const lines = vectors.key.privateKey.trimEnd().split("\n");
    const body = Buffer.from(lines.slice(1, -1).join(""), "base64");
    const blob = readPrivateKey(keyFile(scratch, vectors.key.privateKey)).blob;
    const read = (bytes: Buffer) => {
      const text = [lines[0], bytes.toString("base64"), lines.at(-1), ""].join("\n");
      return readPrivateKey(keyFile(scratch, text));
    };

    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(body);
        changed.writeUInt8(changed.readUInt8(at) ^ change, at);
        let key: ReturnType<typeof readPrivateKey>;
        try {
          key = read(changed);
        } catch (error) {
          expect(error).toMatchObject({ code: "KEY_UNREADABLE" });
          return;
        }
        expect(Buffer.from(key.blob).equals(blob)).toBe(true);
        const message = Buffer.from("x");
        const armored = signSshsig(key, "git", message);
        expect(verifySshsig(nodeTrustCrypto, { armored, message, namespace: "git" }).ok).toBe(true);
      }),
      { numRuns: rounds(300, 7500) },
    );
    for (const length of [0, 10, 40, 100, body.length - 1]) {
      expect(() => read(body.subarray(0, length))).toThrow(expect.objectContaining({ code: "KEY_UNREADABLE" }));
    }
    expect(() => read(Buffer.concat([body, Buffer.of(0)]))).toThrow("1 bytes too many");
  });
});

describe("a new key file", () => {
  it("is one that ssh-keygen reads, owned alone, with its public half beside it", () => {
    using scratch = scratchDir();
    const path = scratch.join("fresh");

    const key = createPrivateKeyFile(path, "audit@hq\nx");

    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(sshKeygen(["-y", "-f", path]).out).toBe(`${publicKeyLine(key.blob)} audit@hq x`);
    expect(readFileSync(`${path}.pub`, "utf8")).toBe(`${publicKeyLine(key.blob)} audit@hq x\n`);
    expect(sshKeygen(["-l", "-f", `${path}.pub`]).out).toContain(fingerprintOf(key.blob, nodeTrustCrypto.sha256));
    const message = Buffer.from("same bytes");
    expect(signSshsig(key, "git", message)).toBe(stockSignature(scratch, path, "git", message));
  });

  it("never replaces one that is there", () => {
    using scratch = scratchDir();
    const path = scratch.join("fresh");
    createPrivateKeyFile(path, "first");
    const before = readFileSync(path, "utf8");

    expect(() => createPrivateKeyFile(path, "second")).toThrow("a key is there already and is not replaced");
    expect(readFileSync(path, "utf8")).toBe(before);
    expect(readFileSync(`${path}.pub`, "utf8")).toContain("first");
  });

  it("in a directory that does not exist is a fault, and leaves nothing", () => {
    using scratch = scratchDir();

    expect(() => createPrivateKeyFile(scratch.join("no", "key"), "x")).toThrow("cannot be written");
  });
});

it("what we sign, ssh-keygen verifies by the allowed signers file, and finds its principal", () => {
  using scratch = scratchDir();
  const key = createPrivateKeyFile(scratch.join("key"), "audit@hq");
  const [signers, sig] = [scratch.join("signers"), scratch.join("sig")];
  writeFileSync(signers, `audit@hq namespaces="git,orrery-checkpoint" ${publicKeyLine(key.blob)}\n`);
  const text = "orrery/hq\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
  writeFileSync(sig, signSshsig(key, "orrery-checkpoint", Buffer.from(text)));
  const verify = (namespace: string, message: string) =>
    sshKeygen(["-Y", "verify", "-f", signers, "-I", "audit@hq", "-n", namespace, "-s", sig], message).ok;

  expect(sshKeygen(["-Y", "find-principals", "-f", signers, "-s", sig]).out).toBe("audit@hq");
  expect(verify("orrery-checkpoint", text)).toBe(true);
  expect(verify("orrery-checkpoint", text.replace("0", "1"))).toBe(false);
  expect(verify("git", text)).toBe(false);
});
