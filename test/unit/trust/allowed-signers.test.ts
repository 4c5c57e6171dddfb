import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findSigner, parseAllowedSigners, parsePublicKey } from "../../../src/trust/index.ts";
import vectors from "../../vectors/sshsig.json" with { type: "json" };

const [type = "", base64 = ""] = vectors.key.publicKey.split(" ");
const key = `${type} ${base64}`;
const parsedKey = parsePublicKey(key);
const blob = parsedKey.ok ? parsedKey.value.blob : new Uint8Array();
const at = (iso: string): number => Date.parse(iso) / 1000;
const find = (text: string, { namespace = "git", atSeconds = at("2026-06-01T00:00:00Z") } = {}) =>
  findSigner(parseAllowedSigners(text).signers, { blob, namespace, atSeconds })?.principal ?? null;

describe("a signers file", () => {
  it("has comments, blank lines, tabs, quoted principals, options and comments behind the key", () => {
    const text = `# people\n\n  \t\nana@acme.example ${key} Ana\n\t"bob@acme.example"\tNAMESPACES="git,orrery-*"\t${type}\t${base64}\n`;

    const { signers, findings } = parseAllowedSigners(text);

    expect(findings).toEqual([]);
    expect(signers.map(({ line, principal, namespaces }) => [line, principal, namespaces])).toEqual([
      [4, "ana@acme.example", null],
      [5, "bob@acme.example", "git,orrery-*"],
    ]);
  });

  it.each([
    ["no key", "ana", "expected `principals [options] type key`"],
    ["no principal", key, "not a public key"],
    ["an unquoted value", `ana namespaces=git ${key}`, "the value of namespaces must stand in double quotes"],
    ["an unknown option", `ana no-touch="1" ${key}`, "unknown option no-touch"],
    ["an option twice", `ana namespaces="git",namespaces="x" ${key}`, "option namespaces stands twice"],
    ["a comma at the end", `ana namespaces="git", ${key}`, "a comma ends the options"],
    ["an open quote", `ana namespaces="git ${key}`, "the value of namespaces must stand in double quotes"],
    ["an open quote of principals", `"ana ${key}`, "expected `principals [options] type key`"],
    ["an empty namespace list", `ana namespaces="" ${key}`, "option namespaces is empty"],
    ["an empty principal", `ana,,bob ${key}`, "an empty principal"],
    ["a certificate authority", `ana cert-authority ${key}`, "certificates are not accepted"],
    ["a certificate", `ana ssh-ed25519-cert-v01@openssh.com ${base64}`, "certificates are not accepted"],
    ["a time without zone", `ana valid-after="20260101" ${key}`, "valid-after has no zone: write a Z at its end (UTC)"],
    ["a day that does not exist", `ana valid-before="20260231Z" ${key}`, "valid-before is no time that exists"],
    ["a time of another form", `ana valid-before="2026-01-01" ${key}`, "valid-before is no time"],
    ["an empty window", `ana valid-after="20260102Z",valid-before="20260101Z" ${key}`, "not after valid-after"],
    ["broken base64", `ana ${type} AAAA*`, "not base64"],
    ["Windows line ends", `ana ${key}\r`, "control character"],
    ["a NUL", `ana\0 ${key}`, "control character"],
  ])("with %s has a finding with its line, and the other lines still count", (_, line, message) => {
    const { signers, findings } = parseAllowedSigners(`good ${key}\n${line}\nlast ${key}\n`);

    expect(signers.map(({ principal }) => principal)).toEqual(["good", "last"]);
    expect(findings).toEqual([{ line: 2, message: expect.stringContaining(message) as string }]);
  });

  it("never throws, whatever stands in it", () => {
    const piece = fc.constantFrom("ana", " ", '"', "=", ",", "namespaces", key, "\\", "\n", "valid-after", "20260101Z");
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 12 }), (pieces) => {
        expect(parseAllowedSigners(pieces.join(""))).toHaveProperty("signers");
      }),
    );
  });
});

describe("a signer is found", () => {
  it("by key, namespace pattern and time, both ends of the window inclusive", () => {
    const text = `ana namespaces="g*,!gitx",valid-after="20260101Z",valid-before="202607011200Z" ${key}\n`;

    expect(find(text)).toBe("ana");
    expect(find(text, { namespace: "gitx" })).toBeNull();
    expect(find(text, { namespace: "file" })).toBeNull();
    expect(find(text, { atSeconds: at("2026-01-01T00:00:00Z") - 1 })).toBeNull();
    expect(find(text, { atSeconds: at("2026-01-01T00:00:00Z") })).toBe("ana");
    expect(find(text, { atSeconds: at("2026-07-01T12:00:00Z") })).toBe("ana");
    expect(find(text, { atSeconds: at("2026-07-01T12:00:00Z") + 1 })).toBeNull();
  });

  it("on a later line where an earlier one does not grant the namespace", () => {
    expect(find(`ana namespaces="file" ${key}\nbob ${key}\n`)).toBe("bob");
  });

  it("never by another key", () => {
    const other = Buffer.from(base64, "base64");
    other.writeUInt8(other.readUInt8(40) ^ 1, 40);

    expect(find(`ana ${type} ${other.toString("base64")}\n`)).toBeNull();
  });
});
