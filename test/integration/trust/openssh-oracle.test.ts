import { createHash, generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeTrustCrypto, readPrivateKey, type SigningKey, signSshsig } from "../../../src/signer/index.ts";
import {
  armorSshsig,
  findSigner,
  parseAllowedSigners,
  parsePublicKey,
  publicKeyLine,
  signedData,
  verifySshsig,
  wireString,
} from "../../../src/trust/index.ts";
import { rounds } from "../../support/effort.ts";
import { type ScratchDir, scratchDir } from "../../support/git-fixtures.ts";
import { sshKeygen, stockKey } from "../signer/ssh-keygen.ts";

let scratch: ScratchDir;
let key: SigningKey;
let line: string;
let otherLine: string;
const message = Buffer.from("what was signed\n");

beforeAll(() => {
  scratch = scratchDir();
  key = readPrivateKey(stockKey(scratch.join("ana")));
  line = publicKeyLine(key.blob);
  otherLine = publicKeyLine(readPrivateKey(stockKey(scratch.join("bob"))).blob);
  writeFileSync(scratch.join("sig"), signSshsig(key, "git", message));
});

afterAll(() => scratch[Symbol.dispose]());

/** Does ssh-keygen accept the signature as that of `identity` at this time? */
function stockAccepts(text: string, identity: string, time: string): boolean {
  writeFileSync(scratch.join("signers"), text);
  const args = ["-Y", "verify", "-f", scratch.join("signers"), "-I", identity, "-n", "git", "-s", scratch.join("sig")];
  return sshKeygen([...args, "-O", `verify-time=${time}`], message).ok;
}

function ourAnswer(text: string, time: string): boolean {
  const iso = time.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z");
  const { signers, findings } = parseAllowedSigners(text);
  if (findings.length > 0) return false;
  return findSigner(signers, { blob: key.blob, namespace: "git", atSeconds: Date.parse(iso) / 1000 }) !== null;
}

describe("a signers file means to us what it means to ssh-keygen", () => {
  it.each<[string, (line: string, other: string) => string, string?]>([
    ["plain", (l) => `ana ${l}\n`],
    ["quoted principals", (l) => `"ana" ${l}\n`],
    ["blanks before it", (l) => `  \t ana   ${l}   a comment\n`],
    ["behind a comment and another key", (l, o) => `# c\n\nana ${o}\nana ${l}\n`],
    ["another key only", (_, o) => `ana ${o}\n`],
    ["a glob", (l) => `a*,bob ${l}\n`],
    ["its namespace", (l) => `ana namespaces="git" ${l}\n`],
    ["its namespace by a glob", (l) => `ana namespaces="x,g?t" ${l}\n`],
    ["another namespace", (l) => `ana namespaces="file,orrery-checkpoint" ${l}\n`],
    ["a negated namespace", (l) => `ana namespaces="g*,!git" ${l}\n`],
    ["an option in capitals", (l) => `ana NameSpaces="git" ${l}\n`],
    ["two lines, the second grants", (l) => `ana namespaces="file" ${l}\nana ${l}\n`],
    ["valid after", (l) => `ana valid-after="20260601Z" ${l}\n`, "20260601000000Z"],
    ["valid after, a second too early", (l) => `ana valid-after="20260601Z" ${l}\n`, "20260531235959Z"],
    ["valid before", (l) => `ana valid-before="202606011200Z" ${l}\n`, "20260601120000Z"],
    ["valid before, a second too late", (l) => `ana valid-before="20260601120000Z" ${l}\n`, "20260601120001Z"],
    ["in a window", (l) => `ana valid-after="20260101Z",valid-before="20270101Z" ${l}\n`],
    ["an empty window", (l) => `ana valid-after="20270101Z",valid-before="20260101Z" ${l}\n`],
    ["an unquoted value", (l) => `ana namespaces=git ${l}\n`],
    ["an unknown option", (l) => `ana foo="x" ${l}\n`],
    ["an option twice", (l) => `ana namespaces="git",namespaces="git" ${l}\n`],
    ["a comma too many", (l) => `ana namespaces="git", ${l}\n`],
    ["a certificate authority", (l) => `ana cert-authority ${l}\n`],
    ["no principal", (l) => `${l}\n`],
    ["a key that is cut", (l) => `ana ${l.slice(0, -8)}\n`],
    ["no line end", (l) => `ana ${l}`],
    ["nothing", () => ""],
  ])("%s", (_, text, time = "20260601120000Z") => {
    expect(ourAnswer(text(line, otherLine), time)).toBe(stockAccepts(text(line, otherLine), "ana", time));
  });

  // biome-ignore format: what a hand or an attacker writes, a line a piece
  const pieces = {
    before: ["", "", "", " ", "\t", "# c\n", "\n", "oops\n", "ana OTHER\n", "\u0000\n"],
    who: ["ana", '"ana"', "a*", "*", "!ana", "ANA", "ana,bob", "!bob,a*", "a*,!ana", "ana,!ana", '"a na",ana', 'ana"x"', '"ana', "ana\\", "#ana", ",ana", "ana,", '""', "! ana", "\ufeffana"],
    options: ["", "", "", "", "", 'namespaces="git" ', 'namespaces="!git,*" ', 'namespaces="git ', "namespaces=git ", 'namespaces="" ', 'NAMESPACES="git" ', 'namespaces="git,x\\"y" ', 'namespaces = "git" ', 'namespaces="git"namespaces="git" ', "cert-authority ", "no-touch-required ", 'valid-after="20200101Z" ', 'valid-after="19690101Z" ', 'valid-after="20201301Z" ', 'valid-before="20200101Z" ', 'valid-before="99991231Z" ', 'valid-before="20300101Z"x '],
    key: ["KEY", "KEY", "KEY", "KEY", "KEY", "KEY", "OTHER", "KEY comment", "KEY=", "KEY,x", "KEY#c", "ssh-rsa KEY"],
    after: ["\n", "\n", "", " \n", "\r\n"],
  } as const;

  it("never takes a key that ssh-keygen does not take, whatever the file looks like", () => {
    let taken = 0;
    const one = fc
      .tuple(
        ...[pieces.before, pieces.who, pieces.options, pieces.key, pieces.after].map((all) => fc.constantFrom(...all)),
      )
      .map(([before = "", who = "", options = "", ...rest]) => `${before}${who} ${options}${rest.join("")}`);
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 2 }), (lines) => {
        const text = lines.join("").replaceAll("KEY", line).replaceAll("OTHER", otherLine);
        if (!ourAnswer(text, "20260601120000Z")) return;
        taken++;
        const who = ["ana", "ANA", "bob", "a na", 'ana"x"', "ana\\", "#ana"];
        expect(who.some((identity) => stockAccepts(text, identity, "20260601120000Z"))).toBe(true);
      }),
      { numRuns: rounds(1500, 20_000) },
    );
    expect(taken).toBeGreaterThan(20);
  }, 60_000);

  it.each<[string, string]>([
    ["a bad line beside a good one", "oops\nana KEY\n"],
    ["a time without zone", 'ana valid-after="20200101" KEY\n'],
    ["Windows line ends", "ana KEY\r\n"],
    ["a byte order mark on another line", "ana KEY\n\ufeffbob KEY\n"],
    ["a line that names nobody", "ana KEY\n!ana KEY\n"],
  ])("but stricter: %s stops us", (_, text) => {
    const withKey = text.replace("KEY", line);

    expect(stockAccepts(withKey, "ana", "20260601120000Z")).toBe(true);
    expect(ourAnswer(withKey, "20260601120000Z")).toBe(false);
  });
});

describe("a key with which everybody can sign, though it looks like a person's", () => {
  const digest = createHash("sha512").update(message).digest();
  const neutral = `01${"00".repeat(31)}`;
  const ed25519 = (y: string) => {
    const blob = Buffer.concat(["ssh-ed25519", Buffer.from(y, "hex")].map((part) => wireString(part)));
    return { blob, algorithm: "ssh-ed25519", raw: Buffer.concat([Buffer.from(neutral, "hex"), Buffer.alloc(32)]) };
  };
  const exponentOne = () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const modulus = Buffer.from(publicKey.export({ format: "jwk" }).n ?? "", "base64url");
    const number = Buffer.concat([Buffer.of(0), modulus]);
    const blob = Buffer.concat(["ssh-rsa", Buffer.of(1), number].map((part) => wireString(part)));
    const hashed = createHash("sha512")
      .update(signedData("git", "sha512", digest))
      .digest();
    const encoded = Buffer.from("3051300d060960864801650304020305000440", "hex");
    const padding = Buffer.alloc(256 - 3 - encoded.length - hashed.length, 0xff);
    return {
      blob,
      algorithm: "rsa-sha2-512",
      raw: Buffer.concat([Buffer.of(0, 1), padding, Buffer.of(0), encoded, hashed]),
    };
  };

  it.each([
    ["the neutral point", ed25519(neutral)],
    ["the neutral point, written otherwise", ed25519(`ee${"ff".repeat(30)}7f`)],
    ["an rsa exponent of 1", exponentOne()],
  ])("%s: ssh-keygen takes the signature that nobody made, we do not", (_, key) => {
    const armored = armorSshsig({ ...key, namespace: "git", hash: "sha512" });
    const text = `ana ${publicKeyLine(key.blob)}\n`;
    const sig = scratch.join("everybody.sig");
    writeFileSync(sig, armored);
    writeFileSync(scratch.join("everybody"), text);
    const args = ["-Y", "verify", "-f", scratch.join("everybody"), "-I", "ana", "-n", "git", "-s", sig];

    expect(sshKeygen(args, message).ok).toBe(true);
    expect(parseAllowedSigners(text).findings).toHaveLength(1);
    expect(verifySshsig(nodeTrustCrypto, { armored, message, namespace: "git" }).ok).toBe(false);
  });
});

describe("a signature by another kind of key", () => {
  const kinds = [
    ["ed25519", []],
    ["ecdsa", ["-b", "256"]],
    ["ecdsa", ["-b", "384"]],
    ["ecdsa", ["-b", "521"]],
    ["rsa", ["-b", "2048"]],
    ["rsa", ["-b", "3072"]],
  ] as const;
  const signedBy = (type: string, bits: readonly string[]): { readonly armored: string; readonly line: string } => {
    const path = scratch.join(`${type}${bits.join("")}`);
    sshKeygen(["-q", "-t", type, ...bits, "-N", "", "-f", path]);
    const file = `${path}.txt`;
    writeFileSync(file, message);
    expect(sshKeygen(["-Y", "sign", "-f", path, "-n", "git", file]).ok).toBe(true);
    return { armored: readFileSync(`${file}.sig`, "utf8"), line: readFileSync(`${path}.pub`, "utf8").trim() };
  };

  it.each(kinds)("%s %j: good for ssh-keygen and for us, and for no other message", (type, bits) => {
    const { armored, line: publicLine } = signedBy(type, bits);

    const verdict = verifySshsig(nodeTrustCrypto, { armored, message, namespace: "git" });

    expect(verdict).toMatchObject({ ok: true });
    expect(publicLine).toContain(verdict.ok ? publicKeyLine(verdict.blob) : "none");
    expect(parsePublicKey(publicLine).ok).toBe(true);
    const others = [Buffer.from("what was signeD\n"), Buffer.from("")];
    for (const other of others)
      expect(verifySshsig(nodeTrustCrypto, { armored, message: other, namespace: "git" }).ok).toBe(false);
  });

  it("rsa of 1024 bits: refused here, in a signers file too", () => {
    const path = scratch.join("short");
    const made = sshKeygen(["-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", path]);
    expect(made.ok).toBe(true);

    const parsed = parsePublicKey(readFileSync(`${path}.pub`, "utf8"));

    expect(parsed.ok ? "accepted" : parsed.reason).toContain("1024 bits is too short");
  });

  it("a certificate: refused by name here", () => {
    const path = stockKey(scratch.join("holder"));
    sshKeygen(["-q", "-s", scratch.join("ana"), "-I", "holder", "-n", "ana", `${path}.pub`]);
    const file = scratch.join("certified.txt");
    writeFileSync(file, message);
    expect(sshKeygen(["-Y", "sign", "-f", `${path}-cert.pub`, "-n", "git", file]).ok).toBe(true);
    const armored = readFileSync(`${file}.sig`, "utf8");

    const verdict = verifySshsig(nodeTrustCrypto, { armored, message, namespace: "git" });

    expect(verdict).toMatchObject({
      ok: false,
      code: "TRUST_KEY_TYPE",
      reason: expect.stringContaining("ssh-ed25519-cert-v01@openssh.com") as string,
    });
  });
});
