import { faultOf, type Sha256 } from "../../base/index.ts";
import type { AllowedSigner, TrustCommit, TrustCrypto } from "../../trust/index.ts";
import {
  type AuditKey,
  auditPrincipal,
  auditSignersPath,
  auditSignersText,
  keyLogPath,
  parseKeyLog,
} from "../audit-keys.ts";
import { type Checkpoint, checkpointText, parseCheckpoint } from "../checkpoint.ts";
import type { RecordCheck } from "../record-schema.ts";
import { parseSegmentPath } from "../segment-path.ts";
import { type AuditReport, FindingList, type FindingPlace } from "./audit-report.ts";
import type { AuditSource, AuditTreeEntry } from "./audit-source.ts";
import { auditSigners, checkpointDefect, commitDefect, loggedKey, type SignatureDefect } from "./key-check.ts";
import { notProven } from "./not-proven.ts";
import { type NewSegment, RecordCourse } from "./record-course.ts";
import type { StepFile } from "./record-defect.ts";
import { reportRewrite } from "./rewrite-check.ts";
import { textOf } from "./segment-line.ts";
import { SignatureRuns } from "./signature-runs.ts";
import { type TreeChange, treeChanges } from "./tree-change.ts";
import { WitnessCheck } from "./witness-check.ts";

export interface VerifyAuditOptions {
  readonly crypto: TrustCrypto;
  /** Text of an allowed_signers file that the verifier's owner trusts: never the one on the branch. */
  readonly signersText: string;
  /** Compiled once for any number of branches (createRecordCheck). */
  readonly check: RecordCheck;
  /** null: the site that the first checkpoint names. */
  readonly site: string | null;
  /** Text of a `checkpoint` that was kept elsewhere, byte for byte; null = none. */
  readonly witness: string | null;
}

/**
 * Judges every commit of an audit branch from the first, each against the state that the ones before it left. Pure and
 * total: whatever a forger wrote becomes a finding. Faults TRUST_SIGNERS_FILE where the signers file itself is bad.
 */
export function verifyAudit(source: AuditSource, options: VerifyAuditOptions): AuditReport {
  const audit = new AuditWalk(source, options);
  for (const oid of source.commits) audit.take(oid);
  return audit.report();
}

class AuditWalk {
  readonly #source: AuditSource;
  readonly #options: VerifyAuditOptions;
  readonly #sha256: Sha256;
  readonly #signers: readonly AllowedSigner[];
  readonly #findings = new FindingList();
  readonly #course: RecordCourse;
  readonly #commitRuns = new SignatureRuns(this.#findings, "commit");
  readonly #checkpointRuns = new SignatureRuns(this.#findings, "checkpoint");
  readonly #witness: WitnessCheck;
  #site: string | null;
  #batch = 0;
  #last: TrustCommit | null = null;
  #keyLog: readonly AuditKey[] = [];

  constructor(source: AuditSource, options: VerifyAuditOptions) {
    this.#source = source;
    this.#options = options;
    this.#sha256 = options.crypto.sha256;
    this.#signers = auditSigners(options.signersText);
    this.#site = options.site;
    this.#course = new RecordCourse({ sha256: this.#sha256, check: options.check, findings: this.#findings });
    this.#witness = new WitnessCheck(options.witness);
  }

  take(oid: string): void {
    this.#batch++;
    try {
      this.#judge(this.#source.readCommit(oid));
    } catch (error) {
      this.#findings.add("AUDIT_TAMPERED", {}, `commit ${short(oid)} cannot be read: ${faultOf(error).message}`);
    }
  }

  report(): AuditReport {
    this.#commitRuns.finish();
    this.#checkpointRuns.finish();
    this.#course.finish();
    this.#witness.report(this.#findings, { site: this.#site, size: this.#course.records });
    if (this.#batch === 0) this.#findings.add("AUDIT_TRUNCATED", {}, "the branch has no commit");
    const { chains, records, root, timestamp, rootLostIn } = this.#course;
    const head = this.#last === null ? null : { commit: this.#last.oid, size: records, root, timestamp };
    return {
      ok: this.#findings.all.length === 0,
      site: this.#site,
      records,
      batches: this.#batch,
      tenants: chains.map(({ tenant, records: count, nextSeq }) => ({ tenant, records: count, lastSeq: nextSeq - 1 })),
      head,
      findings: this.#findings.all,
      notProven: notProven({
        witnessed: this.#options.witness !== null,
        rootLostIn,
        dropped: this.#findings.dropped,
        head,
      }),
    };
  }

  #judge(commit: TrustCommit): void {
    this.#checkParents(commit);
    const changes = treeChanges((tree) => this.#source.readTree(tree), this.#last?.tree ?? null, commit.tree);
    const oldLog = this.#keyLog;
    this.#readKeys(changes, commit);
    // A new key is announced in a commit that the old one signs; only the first batch speaks for itself.
    const logged = loggedKey(this.#batch === 1 ? this.#keyLog : oldLog, this.#batch);
    const segments = this.#sortChanges(changes, commit);
    const checkpoint = this.#checkpoint(commit, logged);
    const place = placeOf(segments.segments);
    this.#commitRuns.take(this.#batch, this.#commitDefect(commit, logged), place);
    if (segments.segments.length === 0) {
      this.#findings.add("AUDIT_FORMAT", {}, `commit ${String(this.#batch)} (${short(commit.oid)}) adds no record`);
    }
    const site = this.#site ?? "";
    this.#course.take({ batch: this.#batch, site, ...segments, checkpoint });
    this.#checkCommitTime(commit);
    this.#witness.seen(
      this.#course.records,
      checkpointText({ site, size: this.#course.records, root: this.#course.root }),
    );
    this.#last = commit;
  }

  #checkParents(commit: TrustCommit): void {
    const { parents } = commit;
    const expected = this.#last === null ? [] : [this.#last.oid];
    if (parents.join() === expected.join()) return;
    if (this.#batch === 1) {
      this.#findings.add("AUDIT_GAP", {}, `the history below commit ${short(commit.oid)} is missing`);
    } else {
      this.#findings.add(
        "AUDIT_FORKED",
        {},
        `commit ${String(this.#batch)} (${short(commit.oid)}) does not have the one before it as its only parent`,
      );
    }
  }

  #rules() {
    const principal = this.#site === null ? null : auditPrincipal(this.#site);
    return { crypto: this.#options.crypto, signers: this.#signers, principal };
  }

  #commitDefect(commit: TrustCommit, logged: AuditKey | null): SignatureDefect | null {
    return commitDefect(commit, logged, this.#rules());
  }

  /** The checkpoint in the commit's tree, null where it is not the recorder's. */
  #checkpoint(commit: TrustCommit, logged: AuditKey | null): Checkpoint | null {
    const root = this.#source.readTree(commit.tree);
    const message = this.#rootFile(root, "checkpoint");
    const signature = this.#rootFile(root, "checkpoint.sig");
    const checkpoint = message === null ? null : parseCheckpoint(textOf(message) ?? "");
    if (message === null || checkpoint === null) {
      this.#findings.add("AUDIT_CHECKPOINT", { path: "checkpoint" }, `commit ${String(this.#batch)} has no checkpoint`);
      return null;
    }
    this.#site ??= checkpoint.site;
    if (checkpoint.site !== this.#site) {
      this.#findings.add(
        "AUDIT_CHECKPOINT",
        { path: "checkpoint" },
        `the checkpoint is of site ${checkpoint.site}, not ${this.#site}`,
      );
      return null;
    }
    const armored = signature === null ? null : textOf(signature);
    const signed = { signature: armored, message, atSeconds: commit.committer.seconds, logged };
    const defect = checkpointDefect(signed, this.#rules());
    const about = defect === null ? null : { ...defect, code: "AUDIT_CHECKPOINT" as const };
    this.#checkpointRuns.take(this.#batch, about, { path: "checkpoint.sig" });
    return defect === null ? checkpoint : null;
  }

  #rootFile(root: readonly AuditTreeEntry[], name: string): Uint8Array | null {
    const entry = root.find((candidate) => candidate.name === name);
    return entry?.mode === "100644" ? this.#source.readBlob(entry.oid) : null;
  }

  #readKeys(changes: readonly TreeChange[], commit: TrustCommit): void {
    const log = changes.find(({ path }) => path === keyLogPath);
    const signers = changes.find(({ path }) => path === auditSignersPath);
    if (log === undefined && signers === undefined && this.#batch > 1) return;
    const keys = log === undefined ? this.#keyLog : parseKeyLog(this.#textAfter(log));
    if (keys === null || !goesOn(this.#keyLog, keys, this.#batch)) {
      const what = `commit ${short(commit.oid)} leaves no key log that goes on the last one`;
      this.#findings.add("AUDIT_SIGNER", { path: keyLogPath }, what);
      return;
    }
    this.#keyLog = keys;
    if (this.#site !== null && this.#textAfter(signers) !== auditSignersText(this.#site, keys)) {
      this.#findings.add(
        "AUDIT_SIGNER",
        { path: auditSignersPath },
        "the file does not name the keys of keys/log.ndjson",
      );
    }
  }

  /** The text that a change leaves; empty where it leaves none. */
  #textAfter(change: TreeChange | undefined): string {
    const oid = change?.after?.oid;
    return oid === undefined ? "" : (textOf(this.#source.readBlob(oid)) ?? "");
  }

  /** New segments and lists of steps, read; whatever else the commit did is a finding. */
  #sortChanges(changes: readonly TreeChange[], commit: TrustCommit): { segments: NewSegment[]; stepFiles: StepFile[] } {
    const segments: NewSegment[] = [];
    const stepFiles: StepFile[] = [];
    const rules = { reader: this.#source, sha256: this.#sha256, findings: this.#findings, commit: short(commit.oid) };
    for (const change of changes) {
      const { path, before, after } = change;
      const name = parseSegmentPath(path);
      if (replaceable.has(path) && after !== null) continue;
      if (before !== null) reportRewrite(change, rules);
      else if (after?.mode !== "100644" || after.defect !== null) {
        this.#findings.add("AUDIT_FORMAT", { path }, `commit ${short(commit.oid)} adds what is no plain file`);
      } else if (name !== null) segments.push({ path, name, bytes: this.#source.readBlob(after.oid) });
      else if (stepsPattern.test(path)) stepFiles.push({ path, bytes: this.#source.readBlob(after.oid) });
      else
        this.#findings.add(
          "AUDIT_FORMAT",
          { path },
          `commit ${short(commit.oid)} adds a file that has no place on an audit branch`,
        );
    }
    return { segments, stepFiles };
  }

  #checkCommitTime({ committer, author, oid }: TrustCommit): void {
    const { timestamp } = this.#course;
    const seconds = timestamp === null ? null : Math.floor(Date.parse(timestamp) / 1000);
    if (seconds !== null && (committer.seconds !== seconds || author.seconds !== seconds)) {
      this.#findings.add(
        "AUDIT_FORMAT",
        {},
        `commit ${String(this.#batch)} (${short(oid)}) is not dated as its records`,
      );
    }
  }
}

/** Known keys stay as they are; a new one signs from this batch or a later one. */
function goesOn(old: readonly AuditKey[], keys: readonly AuditKey[], batch: number): boolean {
  const kept = old.every(({ from, key }, at) => keys[at]?.from === from && keys[at].key === key);
  return kept && keys.slice(old.length).every(({ from }) => from >= batch);
}

const replaceable: ReadonlySet<string> = new Set(["checkpoint", "checkpoint.sig", auditSignersPath, keyLogPath]);
const stepsPattern = /^steps\/[a-z0-9_-]+\/\d{4}\/\d\d\/\d\d\/[0-9a-f-]{36}\.ndjson$/;

const short = (oid: string): string => oid.slice(0, 12);

function placeOf(segments: readonly NewSegment[]): FindingPlace {
  const [first] = segments;
  return first === undefined ? {} : { tenant: first.name.tenant, seq: first.name.firstSeq, path: first.path, line: 1 };
}
