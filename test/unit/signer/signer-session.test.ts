import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeCommit, hashObject, type Oid } from "../../../src/git/index.ts";
import { nodeTrustCrypto as crypto, type SignedFile, type SignRequest } from "../../../src/signer/index.ts";
import { openSession } from "../../../src/signer/signer-session.ts";
import type { SignerState, StateFile } from "../../../src/signer/signer-state.ts";
import { verifySshsig } from "../../../src/trust/index.ts";
import { RecorderModel } from "./recorder-model.ts";
import { testKey } from "./test-key.ts";

/** A state file in memory that can be told to die before or after it has written. */
class MemoryFile implements StateFile {
  state: SignerState | null = null;
  dies: "before" | "after" | null = null;

  read(): SignerState | null {
    return this.state;
  }

  write(state: SignerState): void {
    if (this.dies === "before") throw new Error("killed");
    this.state = structuredClone(state);
    if (this.dies === "after") throw new Error("killed");
  }
}

function setup(site = "hq") {
  const file = new MemoryFile();
  const open = () => openSession({ site, key: testKey(), file });
  return { file, open, session: open(), recorder: new RecorderModel(site) };
}

/** A session that has signed `batches` batches. */
function signedSetup(batches: number) {
  const bundle = setup();
  const requests: SignRequest[] = [];
  for (let batch = 1; batch <= batches; batch++) {
    const request = bundle.recorder.next({ _site: 1, acme: 2, zeta: batch % 2 });
    requests.push(request);
    bundle.recorder.accept(bundle.session.sign(request));
  }
  return { ...bundle, requests };
}

const asText = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) =>
    item instanceof Uint8Array ? Buffer.from(item).toString("base64") : item,
  );

const withFile = (request: SignRequest, change: (file: SignedFile) => SignedFile): SignRequest => ({
  ...request,
  files: request.files.map((file, index) => (index === 0 ? change(file) : file)),
});

const withText = (request: SignRequest, change: (text: string) => string): SignRequest =>
  withFile(request, ({ path, bytes }) => ({ path, bytes: Buffer.from(change(Buffer.from(bytes).toString())) }));

describe("the first batch", () => {
  it("becomes an orphan commit by the recorder, with checkpoint, its signature and the key files", () => {
    const { session, recorder } = setup();

    const answer = recorder.accept(session.sign(recorder.next({ _site: 1, acme: 2 })));

    const commit = decodeCommit(answer.commit.oid as Oid, Buffer.from(answer.commit.body));
    expect(commit.parents).toEqual([]);
    expect(commit.committer).toEqual({
      name: "orrery recorder",
      email: "audit@hq",
      seconds: 1795478405,
      offset: "+0000",
    });
    expect(commit.author).toEqual(commit.committer);
    expect(commit.message).toBe("audit: batch 1, records 3, size 3\n");
    const armored = commit.signature ?? "";
    expect(verifySshsig(crypto, { armored, message: commit.payload, namespace: "git" }).ok).toBe(true);
    const message = Buffer.from(answer.checkpoint);
    expect(answer.checkpoint).toMatch(/^orrery\/hq\n3\n[A-Za-z0-9+/]{43}=\n$/);
    expect(verifySshsig(crypto, { armored: answer.checkpointSig, message, namespace: "orrery-checkpoint" }).ok).toBe(
      true,
    );
  });

  it("answers every object once, each after those that it names and under its own id", () => {
    const { session, recorder } = setup();

    const { objects, commit } = session.sign(recorder.next({ _site: 1, acme: 2 }));

    const seen = new Set<string>();
    for (const { oid, type, body } of objects) {
      expect(hashObject(type, body)).toBe(oid);
      expect(seen.has(oid)).toBe(false);
      seen.add(oid);
    }
    expect(objects.at(-1)?.oid).toBe(commit.oid);
    expect(objects.filter(({ type }) => type === "blob")).toHaveLength(6);
  });
});

describe("a batch", () => {
  it("is signed again byte for byte, also after a restart", () => {
    const { session, open, requests } = signedSetup(3);
    const again = asText(session.sign(requests[2]!));

    expect(asText(open().sign(requests[2]!))).toBe(again);
  });

  it("of an earlier number, or one that skips, is refused", () => {
    const { session, recorder, requests } = signedSetup(3);
    const next = recorder.next({ acme: 1 });

    expect(() => session.sign(requests[1]!)).toThrow("batch 2 does not follow batch 3");
    expect(() => session.sign({ ...next, batch: 5 })).toThrow("batch 5 does not follow batch 3");
    expect(() => session.sign({ ...next, batch: 0 })).toThrow("batch 0 does not follow batch 3");
    expect(session.sign(next).objects.length).toBeGreaterThan(0);
  });

  it("that replays the last number with other records is refused for ever", () => {
    const { session, open, recorder } = setup();
    const first = recorder.next({ acme: 1 });
    const other = recorder.next({ acme: 1 });
    session.sign(first);

    expect(() => session.sign(other)).toThrow("another batch 1 is signed already");
    expect(() => open().sign(other)).toThrow("another batch 1 is signed already");
  });

  it.each<[string, (request: SignRequest) => SignRequest, RegExp]>([
    ["one byte of a record changed", (r) => withText(r, (t) => t.replace("0.1.0", "0.1.1")), /prev is not/],
    ["one byte of its last record changed", (r) => withText(r, changeLast), /root .* not those/],
    ["a record left out", (r) => withText(r, (t) => t.split("\n").slice(1).join("\n")), /seq is not/],
    ["two records swapped", (r) => withText(r, swapLines), /seq is not|prev is not/],
    ["a record of another site", (r) => withText(r, (t) => t.replaceAll('"hq"', '"hx"')), /site is not hq/],
    ["a record of another tenant", (r) => withText(r, (t) => t.replaceAll('"acme"', '"zeta"')), /tenant is not acme/],
    ["a blank in its JSON", (r) => withText(r, (t) => t.replace('":', '": ')), /no canonical JSON/],
    ["a line that is no object", (r) => withText(r, () => "1\n"), /no canonical JSON object/],
    ["no line end", (r) => withText(r, (t) => t.slice(0, -1)), /whole line/],
    ["an empty segment", (r) => withText(r, () => ""), /whole line/],
    ["bytes that are not UTF-8", (r) => withFile(r, (f) => ({ ...f, bytes: Uint8Array.of(255, 10) })), /UTF-8/],
    ["a line too long", (r) => withText(r, () => `{"a":"${"x".repeat(256 * 1024)}"}\n`), /256 KiB/],
    [
      "its segment on another day",
      (r) => withFile(r, (f) => ({ ...f, path: f.path.replace("/24/", "/25/") })),
      /belongs/,
    ],
    [
      "its segment at another number",
      (r) => withFile(r, (f) => ({ ...f, path: f.path.replace("7.nd", "8.nd") })),
      /belongs/,
    ],
    ["a checkpoint of its own", (r) => also(r, "checkpoint"), /no segment/],
    ["a key file", (r) => also(r, "keys/audit_signers"), /no segment/],
    ["a path that climbs", (r) => also(r, "records/../keys/audit_signers"), /no segment/],
    ["a step list that no record names", (r) => also(r, "steps/acme/2026/11/24/r.ndjson"), /no segment/],
    ["a segment twice", (r) => ({ ...r, files: [...r.files, r.files[0]!] }), /two segments of acme/],
    ["no files", (r) => ({ ...r, files: [] }), /without records/],
    ["another size", (r) => ({ ...r, size: r.size + 1 }), /size/],
    ["another root", (r) => ({ ...r, root: "0".repeat(64) }), /root/],
    ["another parent", (r) => ({ ...r, parent: "0".repeat(40) }), /parent/],
    ["no parent", (r) => ({ ...r, parent: null }), /parent/],
    ["no trees of the parent", (r) => ({ ...r, parentTrees: [] }), /is missing in the request/],
    ["a changed tree of the parent", (r) => ({ ...r, parentTrees: r.parentTrees.map(longer) }), /is missing/],
    ["the timestamp of the batch before", (r) => ({ ...r, timestamp: "2026-11-24T00:00:15.000Z" }), /not later/],
    ["a timestamp that is none", (r) => ({ ...r, timestamp: "2026-11-24T00:01:00Z" }), /no UTC instant/],
    ["a timestamp after the year 9999", (r) => ({ ...r, timestamp: "+010000-01-01T00:00:00.000Z" }), /no UTC instant/],
  ])("with %s is refused, and the right one is still signed", (_, change, reason) => {
    const { session, file, recorder } = signedSetup(3);
    const request = recorder.next({ acme: 3 });
    const before = asText(file.state);

    expect(() => session.sign(change(request))).toThrow(reason);
    expect(asText(file.state)).toBe(before);
    expect(session.sign(request).commit.oid).toMatch(/^[0-9a-f]{40}$/);
  });

  const also = (request: SignRequest, path: string): SignRequest => ({
    ...request,
    files: [...request.files, { path, bytes: Buffer.from("{}\n") }],
  });
  const longer = ({ oid, body }: { readonly oid: string; readonly body: Uint8Array }) => ({
    oid,
    body: Buffer.concat([body, Buffer.of(0)]),
  });
  function changeLast(text: string): string {
    const at = text.lastIndexOf("0.1.0");
    return `${text.slice(0, at)}0.1.1${text.slice(at + 5)}`;
  }
  function swapLines(text: string): string {
    const [first, second, ...rest] = text.split("\n");
    return [second, first, ...rest].join("\n");
  }

  it("has its step list bound by the record that left it out", () => {
    const { session, recorder } = setup();
    const request = recorder.nextWithStepList("acme");
    const steps = request.files.find(({ path }) => path.startsWith("steps/"))!;
    const without = { ...request, files: request.files.filter((file) => file !== steps) };
    const changed = { ...steps, bytes: Buffer.from(Buffer.from(steps.bytes).toString().replace("x", "y")) };
    const other = { ...request, files: [...without.files, changed] };

    expect(() => session.sign(without)).toThrow("a step list is missing");
    expect(() => session.sign(other)).toThrow("is not the list that its record binds");
    expect(session.sign(request).objects.length).toBeGreaterThan(0);
  });

  it("of any one bit changed in its files never gets another commit of the same number signed", () => {
    const { session, recorder } = setup();
    const request = recorder.next({ acme: 2 });
    const signed = session.sign(request).commit.oid;
    const { bytes } = request.files[0]!;

    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);

        expect(() => session.sign(withFile(request, (file) => ({ ...file, bytes: changed })))).toThrow("refused");
      }),
    );
    expect(session.sign(request).commit.oid).toBe(signed);
  });
});

describe("a signer that dies", () => {
  it("before its state is written has signed nothing: another batch of that number may follow", () => {
    const { file, open, session, recorder } = signedSetup(2);
    const request = recorder.next({ acme: 1 });
    file.dies = "before";

    expect(() => session.sign(request)).toThrow("killed");

    file.dies = null;
    expect(open().sign(recorder.next({ acme: 1 })).commit.oid).toMatch(/^[0-9a-f]{40}$/);
  });

  it("after its state is written tells what it signed, and signs it again as it would have answered", () => {
    const { file, open, session, recorder } = signedSetup(2);
    const request = recorder.next({ acme: 1 });
    const twin = signedSetup(2);
    const expected = asText(twin.session.sign(request));
    file.dies = "after";

    expect(() => session.sign(request)).toThrow("killed");

    file.dies = null;
    const reopened = open();
    const last = reopened.last();
    expect(last?.batch).toBe(3);
    expect(asText(reopened.sign(last!.request))).toBe(expected);
  });
});

describe("a session", () => {
  it("has signed nothing at first", () => {
    expect(setup().session.last()).toBeNull();
  });

  it("refuses the state of another site or another key", () => {
    const { file } = signedSetup(1);
    const key = { ...testKey(), blob: Buffer.from(testKey().blob).fill(7, 20) };

    expect(() => openSession({ site: "edge", key: testKey(), file })).toThrow("of site hq, not edge");
    expect(() => openSession({ site: "hq", key, file })).toThrow("of the key SHA256:");
  });
});
