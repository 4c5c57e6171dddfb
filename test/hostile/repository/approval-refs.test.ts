import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { approvalRows } from "../../../src/cli/trust/approval-rows.ts";
import { readTrust } from "../../../src/cli/trust/repository-trust.ts";
import { planHashBetween } from "../../../src/cli/trust/write-approval.ts";
import { openRepository, toOid } from "../../../src/git/index.ts";
import type { PassResult } from "../../../src/reconciler/index.ts";
import { type SigningKey, signSshsig } from "../../../src/signer/index.ts";
import { type ApprovalStatement, approvalBlob, publicKeyLine, statementBytes } from "../../../src/trust/index.ts";
import { recorderKey, specKey, testKey } from "../../support/audit-fixtures.ts";
import { type DaemonLife, type DaemonWorld, openDaemonWorld } from "../../support/daemon-world.ts";
import { stockGit } from "../../support/git-fixtures.ts";
import { rawBlob } from "../../support/hostile-tree.ts";
import { longestTurnMs } from "../../support/loop-gaps.ts";
import { reconcilePass } from "../../support/reconcile-pass.ts";
import { dagPath, dagText, logStep, tenantFiles } from "../../support/spec-commits.ts";

const [sif, gone, stranger] = [testKey(7), testKey(8), testKey(9)];
const rules = `apiVersion: orrery/v1
kind: Repository
spec:
  trust:
    groups: { guards: [ana@acme.example, sif@acme.example, gone@acme.example] }
    paths:
      - { match: "tenants/acme/dags/**", by: guards, approvals: 1 }
      - { match: "**", by: everyone }
  brakes: { prunePercent: 100 }
`;
const signer = (name: string, { blob }: Pick<SigningKey, "blob">): string =>
  `${name}@acme.example namespaces="git,orrery-approval" ${publicKeyLine(blob)}\n`;
const signers = signer("ana", specKey) + signer("sif", sif);
const hello = dagText({ steps: { hello: logStep() } });
const changed = dagText({ steps: { hello: logStep("changed") } });

let world: DaemonWorld;
let life: DaemonLife;
/** What is verified, and the commit on top of it that waits for one approval. */
let base: string;
let head: string;

beforeEach(async () => {
  const first = { ...tenantFiles("acme"), [dagPath("acme", "hello")]: hello, "orrery.yaml": rules };
  world = await openDaemonWorld({ files: { ...first, "keys/spec_signers": signers + signer("gone", gone) } });
  life = await world.live();
  await reconcilePass(life);
  base = await world.spec.commit({ "keys/spec_signers": signers });
  await reconcilePass(life);
  head = await world.spec.commit({ [dagPath("acme", "hello")]: changed });
});
afterEach(() => world[Symbol.asyncDispose]());

function statementOf(more: Partial<ApprovalStatement> = {}): ApprovalStatement {
  using repository = openRepository(world.spec.dir);
  const { reader } = readTrust(repository, toOid(head), undefined);
  const planHash = planHashBetween(repository, reader, toOid(base), toOid(head));
  return { planHash, base, head, verdict: "approve", reason: "looked at it", ...more };
}

const signed = (statement: ApprovalStatement, key: SigningKey = sif, namespace = "orrery-approval"): Buffer =>
  Buffer.from(approvalBlob(statement, signSshsig(key, namespace, statementBytes(statement))));

const sha256 = (bytes: string | Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const refOf = (name: string, of = head): string => `refs/orrery/approvals/${of}/${name}`;

/** Puts bytes under the name that is theirs, or another. */
function store(bytes: string | Uint8Array, ref = refOf(sha256(bytes))): void {
  stockGit(world.spec.dir, ["update-ref", ref, rawBlob(world.spec.dir, bytes)]);
}

/** What `orrery approve list` says of every approval that counts for nothing. */
function defects(): readonly string[] {
  using repository = openRepository(world.spec.dir);
  return approvalRows(repository, readTrust(repository, toOid(head), undefined), null).flatMap(({ defect }) =>
    defect === null ? [] : [defect],
  );
}

/** The first line, changed as text, under a signature that fits what it says now. */
function respelled(change: (line: string) => string): Buffer {
  const line = change(Buffer.from(statementBytes(statementOf())).toString());
  return Buffer.from(`${line}\n${signSshsig(sif, "orrery-approval", Buffer.from(line))}`);
}

const noBlob = /points at no small blob/;
const notCanonical = /first line is not canonical JSON/;
const unknownKey = /keys\/spec_signers does not let SHA256:\S+ sign orrery-approval/;

const attacks: readonly (readonly [string, () => void, RegExp])[] = [
  ["a commit in the blob's place", () => stockGit(world.spec.dir, ["update-ref", refOf(sha256("x")), head]), noBlob],
  [
    "a tree in the blob's place",
    () => stockGit(world.spec.dir, ["update-ref", refOf(sha256("x")), `${head}^{tree}`]),
    noBlob,
  ],
  ["a blob of 50 MiB", () => store(Buffer.alloc(50 << 20, 0x61)), noBlob],
  ["a blob of 50 MiB of noise behind a good approval", () => store(padded(50 << 20)), noBlob],
  [
    "bytes that are no UTF-8",
    () => store(Buffer.concat([signed(statementOf()), Buffer.from([0xff, 0xfe])])),
    /it is not UTF-8/,
  ],
  ["an empty blob", () => store(""), notCanonical],
  ["JSON with blanks", () => store(respelled((line) => line.replaceAll(":", ": "))), notCanonical],
  ["JSON with a key twice", () => store(respelled((line) => line.replace("{", '{"base":"x",'))), notCanonical],
  [
    "JSON in another order of keys",
    () =>
      store(
        respelled((line) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line) as object).reverse()))),
      ),
    notCanonical,
  ],
  [
    "a member more",
    () => store(respelled((line) => line.replace('"verdict"', '"until":"2099","verdict"'))),
    /no statement of planHash, base, head, verdict, reason/,
  ],
  ["the name of another blob", () => store(signed(statementOf()), refOf(sha256("x"))), /not named by the SHA-256/],
  [
    "the name in capitals",
    () => {
      const bytes = signed(statementOf());
      store(bytes, refOf(sha256(bytes).toUpperCase()));
    },
    /not named by the SHA-256/,
  ],
  [
    "another head in the name than in the text",
    () => {
      const bytes = signed(statementOf({ head: base }));
      store(bytes, refOf(sha256(bytes)));
    },
    /names another head than the statement/,
  ],
  [
    "the plan of another change",
    () => store(signed(statementOf({ planHash: sha256("x") }))),
    /its plan is not what lies/,
  ],
  ["a key that was removed", () => store(signed(statementOf(), gone)), unknownKey],
  ["a stranger's key", () => store(signed(statementOf(), stranger)), unknownKey],
  ["the recorder's key", () => store(signed(statementOf(), recorderKey)), unknownKey],
  ["a signature for commits", () => store(signed(statementOf(), sif, "git")), /namespace/],
  [
    "a signature over another reason",
    () => {
      const armored = signSshsig(sif, "orrery-approval", statementBytes(statementOf({ reason: "another" })));
      store(approvalBlob(statementOf(), armored));
    },
    /the signed bytes are not these bytes/,
  ],
  ["no signature", () => store(approvalBlob(statementOf(), "")), /its signature does not parse/],
  [
    "a symbolic ref to the branch",
    () => stockGit(world.spec.dir, ["symbolic-ref", refOf(sha256("x")), "refs/heads/main"]),
    noBlob,
  ],
  ["an object that is not there", () => writeRef(refOf(sha256("x")), `${"2".repeat(40)}\n`), noBlob],
];

/** Named by its own hash, and too long. */
const padded = (bytes: number): Buffer => Buffer.concat([signed(statementOf()), Buffer.alloc(bytes, 0x0a)]);

function writeRef(ref: string, text: string): void {
  const file = join(world.spec.dir, ref);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Not listed at all: no file of these is a ref of that form. */
const ignored: readonly (readonly [string, () => void])[] = [
  ["a symbolic ref that leads nowhere", () => writeRef(refOf(sha256("x")), "ref: refs/heads/nowhere\n")],
  ["a symbolic ref that leads to itself", () => writeRef(refOf(sha256("x")), `ref: ${refOf(sha256("x"))}\n`)],
  ["a ref that is half written", () => writeRef(refOf(sha256("x")), "12345")],
  ["a ref one folder deeper", () => store(signed(statementOf()), `${refOf(sha256("x"))}/deeper`)],
  ["a ref without a head", () => store(signed(statementOf()), `refs/orrery/approvals/${sha256("x")}`)],
  ["a lock that nobody lets go of", () => writeRef(`${refOf(sha256("x"))}.lock`, "")],
];

/** The hostile ref lets nothing in; beside it a good approval does, in the same pass. */
async function expectHarmless(): Promise<void> {
  const waiting = await reconcilePass(life);
  expect(waiting).toMatchObject({ revision: base, stalled: { reason: "ApprovalsMissing" } });
  expect(waiting.stalled?.message).toContain("0 of 1 approvals there");

  store(signed(statementOf()));

  expect(await reconcilePass(life)).toMatchObject({ revision: head, stalled: null });
}

describe("an approval ref that anybody who may push can make", () => {
  it.each(attacks)("with %s counts for nothing, is told by name and blocks nothing", async (_, attack, defect) => {
    attack();

    expect(defects()).toEqual([expect.stringMatching(defect)]);
    await expectHarmless();
  });

  it.each(ignored)("%s is no approval and blocks nothing", async (_, attack) => {
    attack();

    expect(defects()).toEqual([]);
    await expectHarmless();
  });

  it("under the right name through a symbolic ref counts once, as what it leads to is signed", async () => {
    const bytes = signed(statementOf());
    stockGit(world.spec.dir, ["update-ref", "refs/tags/aside", rawBlob(world.spec.dir, bytes)]);
    stockGit(world.spec.dir, ["symbolic-ref", refOf(sha256(bytes)), "refs/tags/aside"]);

    expect(await reconcilePass(life)).toMatchObject({ revision: head, stalled: null });
  });

  it("signed once and copied under other heads counts for its own change alone", async () => {
    const other = "3".repeat(40);
    const bytes = signed(statementOf());
    store(bytes, refOf(sha256(bytes), other));

    expect(defects()).toEqual(["the ref names another head than the statement"]);
    await expectHarmless();
  });
});

describe("ten thousand approval refs of a stranger in packed-refs", () => {
  const count = 9_999;

  /** Well-formed, each another blob, by a key that nobody named. */
  function flood(): void {
    const { dir } = world.spec;
    const statement = statementOf();
    const armored = signSshsig(stranger, "orrery-approval", statementBytes(statement));
    const texts = Array.from({ length: count }, (_, n) =>
      Buffer.from(approvalBlob({ ...statement, reason: `number ${String(n)}` }, armored)).toString(),
    );
    const stream = texts.map((text, n) => `blob\nmark :${String(n + 1)}\ndata ${String(text.length)}\n${text}\n`);
    stockGit(dir, ["fast-import", "--quiet", "--export-marks=marks"], { input: stream.join("") });
    const marks = readFileSync(join(dir, "marks"), "utf8").trim().split("\n");
    const oids = new Map(marks.map((line) => [line.split(" ")[0], line.split(" ")[1]]));
    const lines = texts.map((text, n) => `${oids.get(`:${String(n + 1)}`) ?? ""} ${refOf(sha256(text))}`);
    lines.sort((x, y) => (x.slice(41) < y.slice(41) ? -1 : 1));
    writeFileSync(join(dir, "packed-refs"), `# pack-refs with: peeled fully-peeled sorted \n${lines.join("\n")}\n`);
    expect(stockGit(dir, ["for-each-ref", "refs/orrery/approvals/"]).split("\n").length).toBeGreaterThanOrEqual(count);
  }

  it("hold no turn of the loop while a commit waits, and the one good approval is found among them", async () => {
    flood();
    const passes: PassResult[] = [];
    const started = performance.now();

    const longest = await longestTurnMs(async () => {
      for (let n = 0; n < 2; n += 1) passes.push(await reconcilePass(life));
    });

    const waits = { revision: base, stalled: { reason: "ApprovalsMissing" } };
    expect(passes).toMatchObject([waits, waits]);
    // One read of 1.5 MB of packed-refs stays; each blob, statement and signature is a turn of its own.
    expect(longest).toBeLessThan(500);
    expect(performance.now() - started).toBeLessThan(30_000);

    store(signed(statementOf()));

    expect(await reconcilePass(life)).toMatchObject({ revision: head, stalled: null });
  });

  it("cost a pass without a waiting commit nothing", async () => {
    store(signed(statementOf()));
    await reconcilePass(life);
    const alone = await passMs();
    flood();

    const flooded = await passMs();

    expect(flooded).toBeLessThan(alone * 5 + 200);
  });

  async function passMs(): Promise<number> {
    const times: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      const started = performance.now();
      await reconcilePass(life);
      times.push(performance.now() - started);
    }
    return Math.min(...times);
  }
});
