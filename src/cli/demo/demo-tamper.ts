import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { type ExitCode, exitCodes, Fault } from "../../base/index.ts";
import {
  createGitWriter,
  encodeCommit,
  type GitRepository,
  graftTree,
  hashObject,
  openRepository,
  signedCommit,
  toOid,
} from "../../git/index.ts";
import { renderVerdict, verifyBranch } from "../commands/audit.ts";
import { stockGit } from "../stock-git.ts";
import type { Terminal } from "../terminal.ts";
import { auditBranch, type DemoLayout, demoSite } from "./demo-layout.ts";

/** In a copy: one byte of one record is changed and the newest commit made again over it, its old signature kept. */
export async function tamperDemo(layout: DemoLayout, terminal: Terminal): Promise<ExitCode> {
  const copy = mkdtempSync(path.join(layout.dataDir, "demo", "tampered-"));
  try {
    stockGit({ cwd: layout.dataDir, args: ["clone", "--quiet", "--bare", "--no-hardlinks", layout.repository, copy] });
    using repository = openRepository(copy);
    const { path: file, record, was, is, head } = await changeOneByte(repository);
    terminal.print(`changed    one byte of record ${record} in a copy: ${was} -> ${is}`);
    terminal.print(`           ${file}`);
    const signersText = readFileSync(layout.auditSigners, "utf8");
    const report = verifyBranch(repository, head, { signersText, witness: null, site: demoSite });
    terminal.print(renderVerdict({ ref: auditBranch, report }));
    const named = report.findings.some((finding) => finding.path === file && finding.seq !== null);
    return !report.ok && named ? exitCodes.ok : exitCodes.bug;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

interface Change {
  readonly path: string;
  readonly record: string;
  readonly was: string;
  readonly is: string;
  readonly head: string;
}

async function changeOneByte(repository: GitRepository): Promise<Change> {
  const head = repository.readRef(auditBranch);
  if (head === null) throw new Fault("AUDIT_NONE", "the demo has no audit branch yet");
  const commit = repository.readCommit(head);
  const target = newestSegment(repository, commit.tree);
  const text = repository.readBlob(target.oid).toString("utf8");
  const at = text.indexOf('"runNo":');
  const place = at < 0 ? text.indexOf('"seq":') + 6 : at + 8;
  const was = text[place] ?? "0";
  const is = was === "9" ? "8" : String(Number(was) + 1);
  const changed = Buffer.from(text.slice(0, place) + is + text.slice(place + 1));
  const grafted = graftTree(repository, commit.tree, new Map([[target.path, changed]]), {
    replace: new Set([target.path]),
  });
  const writer = createGitWriter(repository);
  const { author, committer, message, parents, signature } = commit;
  const payload = encodeCommit({ tree: grafted.root, parents, author, committer, message });
  const body = signature === null ? payload : signedCommit(payload, signature);
  await writer.putObjects([...grafted.objects, { oid: hashObject("commit", body), type: "commit", body }]);
  const next = hashObject("commit", body);
  const swapped = await writer.compareAndSwapRef({
    ref: auditBranch,
    expected: head,
    next,
    message: "tampered",
    ident: committer,
  });
  if (swapped !== "ok") throw new Fault("REF_MOVED", "the copy's branch moved");
  const { tenant, seq } = JSON.parse(text.split("\n")[0] ?? "{}") as { readonly tenant: string; readonly seq: number };
  return {
    path: target.path,
    record: `${tenant} seq ${seq}`,
    was: text.slice(place - 8, place + 1),
    is: `${text.slice(place - 8, place)}${is}`,
    head: toOid(next),
  };
}

/** The last file in byte order of a tenant's records: a run's, where there is one. */
function newestSegment(repository: GitRepository, tree: string) {
  const records = repository.entryAt(toOid(tree), "records");
  if (records === null) throw new Fault("AUDIT_NONE", "the audit branch has no records");
  const segments = [...repository.walkTree(records.oid, "records/")].filter(
    ({ path: file }) => !file.startsWith("records/_site/"),
  );
  const last = segments.at(-1);
  if (last === undefined) throw new Fault("AUDIT_NONE", "no tenant has a record yet");
  return { path: last.path, oid: last.entry.oid };
}
