import { createPrivateKey, sign } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { deflateSync } from "node:zlib";
import type { JsonObject } from "../../src/base/index.ts";
import { sha256, sha256Hex } from "../../src/base/node-digest.ts";
import {
  decodeCommit,
  decodeTree,
  encodeCommit,
  encodeTree,
  hashObject,
  type ObjectType,
  type Oid,
  signedCommit,
} from "../../src/git/index.ts";
import {
  type AuditSource,
  auditSignersText,
  type ChainEnd,
  createRecordCheck,
  denialBody,
  emptyFrontier,
  type FrontierState,
  genesisBody,
  parseSegmentPath,
  type RecordRuntime,
  reconcileBody,
  runBody,
  type SealedBatch,
  type SealInput,
  type StepRecord,
  sealBatch,
  type WaitingBody,
} from "../../src/record/index.ts";
import { signBatch } from "../../src/signer/batch-commit.ts";
import { type SigningKey, signSshsig } from "../../src/signer/index.ts";
import { emptyHead, type SignedHead } from "../../src/signer/signed-head.ts";
import { ed25519Blob, publicKeyLine } from "../../src/trust/index.ts";

const recordSchema = JSON.parse(
  readFileSync(new URL("../../schemas/record.schema.json", import.meta.url), "utf8"),
) as JsonObject;

/** Compiled once a test file. */
export const recordCheck = createRecordCheck(recordSchema);

export const testRuntime: RecordRuntime = { orrery: "0.1.0", node: "20.20.2", tzdata: "2026b", level: "confined" };

/** A key from a seed of one repeated byte: equal bytes in every run. */
export function testKey(byte: number): SigningKey {
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, byte)]);
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const { x } = key.export({ format: "jwk" });
  const blob = ed25519Blob(Buffer.from(x ?? "", "base64url"));
  return { blob, comment: "test", signRaw: (bytes) => sign(null, bytes, key) };
}

export const recorderKey = testKey(1);
/** A key that keys/spec_signers would name. */
export const specKey = testKey(2);

export const signersTextOf = (site: string, key = recorderKey): string =>
  auditSignersText(site, [{ from: 1, key: publicKeyLine(key.blob) }]);

const hex64 = (seed: string): string => sha256Hex(seed);
const hex40 = (seed: string): string => sha256Hex(seed).slice(0, 40);

function testRunId(n: number): string {
  const tail = sha256Hex(`run ${String(n)}`);
  return `0199a1b2-${n.toString(16).padStart(4, "0")}-7${tail.slice(0, 3)}-8${tail.slice(3, 6)}-${tail.slice(6, 18)}`;
}

export function testStep(stepId: string, attempts = 1): StepRecord {
  return {
    stepId,
    finally: false,
    status: "succeeded",
    plugin: "core.log@1.0.0",
    digest: hex64("plugin"),
    outputsHash: hex64(`output of ${stepId}`),
    attempts: Array.from({ length: attempts }, (_, index) => ({
      index,
      attempt: 1,
      status: "succeeded" as const,
      startedUtc: "2026-11-24T03:30:01.000Z",
      endedUtc: "2026-11-24T03:30:01.250Z",
      stepHash: hex64(`${stepId} what`),
      stepKey: hex64(`${stepId} asking ${String(index)}`),
      inputsHash: hex64(`${stepId} with`),
      outputsHash: hex64(`${stepId} output ${String(index)}`),
    })),
  };
}

export interface TestRun {
  readonly site?: string;
  readonly tenant?: string;
  readonly dagId?: string;
  readonly n: number;
  readonly steps?: readonly StepRecord[];
}

export function testRunBody({ site = "hq", tenant = "acme", dagId = "hello", n, steps }: TestRun): WaitingBody {
  const { bodyText } = runBody(
    {
      site,
      run: {
        tenant,
        runId: testRunId(n),
        runNo: n,
        dagId,
        commit: hex40("commit"),
        specHash: hex64("spec"),
        policyRevision: hex40("policy"),
        trigger: {
          kind: "schedule",
          key: "default@2026-11-24T03:30:00.000Z",
          schedule: "default",
          slot: "2026-11-24T03:30:00.000Z",
        },
        actor: { kind: "schedule", subject: `${dagId}/default`, key: null },
        rationale: [{ source: "spec", text: "Prove that this site can run and sign." }],
        traceId: hex64(`trace ${String(n)}`).slice(0, 32),
        runToken: hex64(`token ${String(n)}`),
        inputsHash: hex64("{}"),
        context: { now: "2026-11-24T03:30:00.000Z", seed: hex64("seed") },
        queuedUtc: "2026-11-24T03:30:00.010Z",
      },
      status: "succeeded",
      class: null,
      code: null,
      startedUtc: "2026-11-24T03:30:01.000Z",
      endedUtc: "2026-11-24T03:30:02.000Z",
      outputsHash: hex64("outputs"),
      replayToken: "orr1.eyJzaXRlIjoiaHEifQ",
      runtime: testRuntime,
      deterministic: true,
      steps: steps ?? [testStep("hello")],
    },
    sha256,
  );
  return { tenant, bodyText, count: null };
}

export function testGenesisBody(site = "hq"): WaitingBody {
  const { bodyText } = genesisBody({
    site,
    specRef: "refs/heads/main",
    signersSha256: hex64("signers"),
    trustedBy: "pinned",
    runtime: testRuntime,
  });
  return { tenant: "_site", bodyText, count: null };
}

export function testReconcileBody(site = "hq", tenant = "acme", n = 0): WaitingBody {
  const { bodyText } = reconcileBody(
    {
      site,
      tenant,
      actor: { kind: "commit", subject: "ana@acme.example", key: "SHA256:abc" },
      rationale: [{ source: "commit", text: "add hello" }],
      traceId: null,
      runtime: testRuntime,
      n,
      from: null,
      to: hex40(`revision ${String(n)}`),
      changes: [{ change: "create", kind: "Dag", name: "hello", after: hex64("spec"), armed: true, suspended: false }],
      held: [],
      verification: { mode: "require", commits: 1, principal: "ana@acme.example", key: "SHA256:abc" },
      activations: [
        { dagId: "hello", schedule: "default", every: 15_000, zone: "UTC", activeFrom: "2026-11-24T03:29:00.000Z" },
      ],
    },
    sha256,
  );
  return { tenant, bodyText, count: null };
}

export function testDenialBody(site = "hq", tenant = "acme", count: number | null = null): WaitingBody {
  const { bodyText } = denialBody({
    site,
    tenant,
    actor: { kind: "user", subject: "ben@acme.example", key: null },
    rationale: [{ source: "trigger", text: "try it" }],
    traceId: hex64("denial").slice(0, 32),
    runtime: testRuntime,
    dagId: "hello",
    trigger: { kind: "manual", key: "again", schedule: null, slot: null },
    code: "NOT_ALLOWED",
    decision: { verdict: "deny", rule: "allowlist.endpoints" },
    now: "2026-11-24T03:31:20.000Z",
    which: count === null ? 1 : 2,
  });
  return { tenant, bodyText, count };
}

interface StoredObject {
  readonly type: ObjectType;
  readonly body: Buffer;
}

export type ForgedSignature = "kept" | "none" | SigningKey;
export type FileEdit = (files: Map<string, Buffer>) => void;

/** An audit branch in memory, sealed and signed by the real code; and the forger's tools against it. */
export class AuditBranch {
  readonly site: string;
  readonly key: SigningKey;
  readonly objects = new Map<string, StoredObject>();
  commits: string[] = [];
  readonly batches: SealedBatch[] = [];
  #head: SignedHead = emptyHead;
  #frontier: FrontierState = emptyFrontier;
  readonly #chains = new Map<string, ChainEnd>();
  #clock = Date.parse("2026-11-24T03:31:00.000Z");

  constructor(site = "hq", key = recorderKey) {
    this.site = site;
    this.key = key;
  }

  /** Seals, signs and keeps one batch. */
  append(bodies: readonly WaitingBody[], skips: SealInput["skips"] = []): SealedBatch {
    this.#clock += 5000;
    const timestamp = new Date(this.#clock).toISOString();
    const tenants = new Set([...bodies, ...skips].map(({ tenant }) => tenant));
    const fresh = { lastSeq: 0, lastLine: null, horizon: null };
    const chains = [...tenants].map((tenant) => this.#chains.get(tenant) ?? { tenant, ...fresh });
    const input = { site: this.site, timestamp, clock: timestamp, frontier: this.#frontier, bodies, skips, chains };
    const sealed = sealBatch({ ...input, runtime: testRuntime }, sha256);
    const parentTrees = [...this.objects].flatMap(([oid, { type, body }]) => (type === "tree" ? [{ oid, body }] : []));
    const { answer, head } = signBatch(this.site, this.key, this.#head, {
      batch: this.#head.batch + 1,
      timestamp,
      parent: this.#head.commit,
      parentTrees,
      files: [...sealed.segments, ...sealed.stepFiles].map(({ path, bytes }) => ({ path, bytes })),
      size: sealed.checkpoint.size,
      root: sealed.checkpoint.root,
    });
    for (const { oid, type, body } of answer.objects) this.objects.set(oid, { type, body: Buffer.from(body) });
    this.commits.push(answer.commit.oid);
    this.#head = head;
    this.#frontier = sealed.frontier;
    for (const { tenant, seq, line } of sealed.records) {
      this.#chains.set(tenant, { tenant, lastSeq: seq, lastLine: line, horizon: null });
    }
    this.batches.push(sealed);
    return sealed;
  }

  get source(): AuditSource {
    const body = (oid: string): Buffer => {
      const object = this.objects.get(oid);
      if (object === undefined) throw new Error(`no object ${oid}`);
      return object.body;
    };
    return {
      commits: this.commits,
      readCommit: (oid) => decodeCommit(oid as Oid, body(oid)),
      readTree: (oid) => decodeTree(body(oid)),
      readBlob: body,
    };
  }

  /** Every file of the n-th commit (from 1) by path. */
  files(batch: number): Map<string, Buffer> {
    const files = new Map<string, Buffer>();
    const walk = (tree: string, prefix: string): void => {
      for (const { name, oid, kind } of this.source.readTree(tree) as ReturnType<typeof decodeTree>) {
        if (kind === "tree") walk(oid, `${prefix}${name}/`);
        else files.set(prefix + name, Buffer.from(this.source.readBlob(oid)));
      }
    };
    walk(this.source.readCommit(this.commits[batch - 1] ?? "").tree, "");
    return files;
  }

  /** History from batch `from` on made again with every tree edited, so that no commit below shows the edit. */
  rewriteHistory(from: number, edit: FileEdit, signature: ForgedSignature): void {
    const originals = this.commits.slice(from - 1);
    const before = this.commits.slice(0, from - 1);
    const trees = originals.map((_, at) => {
      const files = this.files(from + at);
      edit(files);
      return this.#writeTree(files);
    });
    for (const [at, original] of originals.entries()) {
      before.push(this.#forgeCommit(original, { tree: trees[at]!, parent: before.at(-1) ?? null, signature }));
    }
    this.commits = before;
  }

  /** One more commit on top. */
  commitOnTop(edit: FileEdit, signature: ForgedSignature): void {
    const files = this.files(this.commits.length);
    edit(files);
    const original = this.commits.at(-1) ?? "";
    this.commits.push(this.#forgeCommit(original, { tree: this.#writeTree(files), parent: original, signature }));
  }

  /** Writes all objects and the ref into a repository that stock git made. */
  writeTo(gitDir: string, ref = `refs/heads/audit/${this.site}`): void {
    for (const [oid, { type, body }] of this.objects) {
      const file = join(gitDir, "objects", oid.slice(0, 2), oid.slice(2));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, deflateSync(Buffer.concat([Buffer.from(`${type} ${String(body.length)}\0`), body])));
    }
    mkdirSync(dirname(join(gitDir, ref)), { recursive: true });
    writeFileSync(join(gitDir, ref), `${this.commits.at(-1) ?? ""}\n`);
  }

  #put(type: ObjectType, body: Buffer): Oid {
    const oid = hashObject(type, body);
    this.objects.set(oid, { type, body });
    return oid;
  }

  #writeTree(files: ReadonlyMap<string, Buffer>): Oid {
    const entries: { mode: string; name: string; oid: Oid }[] = [];
    const folders = new Map<string, Map<string, Buffer>>();
    for (const [path, bytes] of files) {
      const [name = "", ...rest] = path.split("/");
      if (rest.length === 0) entries.push({ mode: "100644", name, oid: this.#put("blob", bytes) });
      else folders.set(name, (folders.get(name) ?? new Map<string, Buffer>()).set(rest.join("/"), bytes));
    }
    for (const [name, inside] of folders) entries.push({ mode: "40000", name, oid: this.#writeTree(inside) });
    return this.#put("tree", encodeTree(entries));
  }

  #forgeCommit(
    original: string,
    { tree, parent, signature }: { tree: Oid; parent: string | null; signature: ForgedSignature },
  ): string {
    const {
      author,
      committer,
      message,
      signature: kept,
    } = decodeCommit(original as Oid, this.objects.get(original)?.body ?? Buffer.alloc(0));
    const parents = parent === null ? [] : [parent as Oid];
    const payload = encodeCommit({ tree, parents, author, committer, message });
    if (signature === "none") return this.#put("commit", payload);
    const armored = signature === "kept" ? (kept ?? "") : signSshsig(signature, "git", payload);
    return this.#put("commit", signedCommit(payload, armored));
  }
}

/** The path of the segment that holds this record. */
export function segmentOf(files: ReadonlyMap<string, Buffer>, tenant: string, seq: number): string {
  let best = "";
  let bestSeq = 0;
  for (const path of files.keys()) {
    const name = parseSegmentPath(path);
    if (name?.tenant === tenant && name.firstSeq <= seq && name.firstSeq > bestSeq)
      [best, bestSeq] = [path, name.firstSeq];
  }
  return best;
}

/** Changes the lines of the segment that holds a record; `at` is the record's position in it. */
export function editLines(tenant: string, seq: number, edit: (lines: string[], at: number) => string[]): FileEdit {
  return (files) => {
    const path = segmentOf(files, tenant, seq);
    const bytes = files.get(path);
    if (bytes === undefined) return;
    const lines = bytes.toString("utf8").trimEnd().split("\n");
    const at = seq - (parseSegmentPath(path)?.firstSeq ?? 0);
    const edited = edit(lines, at);
    if (edited.length === 0) files.delete(path);
    else files.set(path, Buffer.from(`${edited.join("\n")}\n`));
  };
}

/** Three batches of two tenants: acme 1-5 | acme 6-8, beta 1-2 | acme 9-11, beta 3; `_site` 1 in the first. */
export function threeBatches(): AuditBranch {
  const branch = new AuditBranch();
  const runs = (tenant: string, first: number, count: number): WaitingBody[] =>
    Array.from({ length: count }, (_, at) => testRunBody({ tenant, n: first + at }));
  branch.append([testGenesisBody(), testReconcileBody(), ...runs("acme", 1, 4)]);
  branch.append([...runs("acme", 5, 2), testDenialBody(), ...runs("beta", 50, 2)]);
  branch.append([...runs("acme", 7, 3), testRunBody({ tenant: "beta", n: 60, steps: [testStep("fan_out", 600)] })]);
  return branch;
}
