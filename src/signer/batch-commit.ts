import { bytesOfText, Fault, utcText } from "../base/index.ts";
import {
  decodeTree,
  encodeCommit,
  type GraftedObject,
  graftTree,
  hashObject,
  type Oid,
  signedCommit,
} from "../git/index.ts";
import {
  auditIdentName,
  auditPrincipal,
  auditSignersPath,
  auditSignersText,
  checkpointNamespace,
  checkpointText,
  keyLogPath,
  keyLogText,
} from "../record/index.ts";
import { publicKeyLine } from "../trust/index.ts";
import { type CheckedRecords, checkRecords, refusal } from "./batch-records.ts";
import { signSshsig } from "./message-signature.ts";
import type { SigningKey } from "./private-key.ts";
import type { SignAnswer, SignedObject, SignRequest } from "./sign-request.ts";
import type { SignedHead } from "./signed-head.ts";

const checkpointPaths: ReadonlySet<string> = new Set(["checkpoint", "checkpoint.sig"]);

export interface SignedBatch {
  readonly answer: SignAnswer;
  readonly head: SignedHead;
}

/**
 * Checks and signs the batch that follows `head`. Pure but for the key: equal head, request and key give equal bytes, so
 * a batch whose answer was lost is signed again byte for byte. Throws `SIGNER_REFUSED` with the reason.
 *
 * Order: records -> checkpoint -> its signature -> tree (which holds both) -> commit -> its signature.
 */
export function signBatch(site: string, key: SigningKey, head: SignedHead, request: SignRequest): SignedBatch {
  checkPlace(head, request);
  const records = checkRecords(site, head, request);
  const checkpoint = checkpointText({ site, size: records.frontier.size, root: records.root });
  const checkpointSig = signSshsig(key, checkpointNamespace, bytesOfText(checkpoint));
  const added = [
    { path: "checkpoint", bytes: bytesOfText(checkpoint) },
    { path: "checkpoint.sig", bytes: bytesOfText(checkpointSig) },
    ...(head.batch === 0 ? keyFiles(site, key) : []),
  ];
  const files = new Map([...request.files, ...added].map(({ path, bytes }) => [path, Buffer.from(bytes)]));
  const grafted = asRefusal(() => graftTree(parentTreesOf(request), head.tree, files, { replace: checkpointPaths }));
  const commit = signCommit({ site, key, head, request, records, tree: grafted.root });
  const answer = {
    commit,
    objects: [...grafted.objects.flatMap(newObject), { ...commit, type: "commit" as const }],
    checkpoint,
    checkpointSig,
  };
  const { batch, timestamp } = request;
  const { frontier, chains } = records;
  return { answer, head: { batch, commit: commit.oid, tree: grafted.root, timestamp, frontier, chains } };
}

/** Old trees, believed only by the hash under which their parent names them: no entry can be slipped in or dropped. */
function parentTreesOf({ parentTrees }: SignRequest) {
  const known = new Map(parentTrees.map(({ body }) => [hashObject("tree", body), Buffer.from(body)]));
  return {
    readTree: (oid: Oid) => {
      const body = known.get(oid);
      if (body === undefined) throw refusal(`tree ${oid} of the last commit is missing in the request`);
      return decodeTree(body);
    },
  };
}

/** A graft makes no other types. */
const newObject = ({ oid, type, body }: GraftedObject): readonly SignedObject[] =>
  type === "blob" || type === "tree" ? [{ oid, type, body }] : [];

function asRefusal<T>(graft: () => T): T {
  try {
    return graft();
  } catch (error) {
    throw error instanceof Fault && error.code === "TREE_CONFLICT" ? refusal(error.message) : error;
  }
}

function checkPlace(head: SignedHead, { batch, parent, timestamp }: SignRequest): void {
  if (batch !== head.batch + 1) throw refusal(`batch ${batch} does not follow batch ${head.batch}`);
  if (parent !== head.commit) throw refusal(`the parent of batch ${batch} is not the commit of batch ${head.batch}`);
  const instant = new Date(timestamp);
  if (Number.isNaN(instant.getTime()) || utcText(instant) !== timestamp || timestamp.length !== 24) {
    throw refusal("the timestamp is no UTC instant");
  }
  if (instant.getTime() < 0) throw refusal("the timestamp is before 1970");
  if (head.timestamp !== null && timestamp <= head.timestamp) {
    throw refusal(`${timestamp} is not later than the last batch, ${head.timestamp}`);
  }
}

function keyFiles(site: string, { blob }: SigningKey) {
  const keys = [{ from: 1, key: publicKeyLine(blob) }];
  return [
    { path: auditSignersPath, bytes: bytesOfText(auditSignersText(site, keys)) },
    { path: keyLogPath, bytes: bytesOfText(keyLogText(keys)) },
  ];
}

interface CommitCase {
  readonly site: string;
  readonly key: SigningKey;
  readonly head: SignedHead;
  readonly request: SignRequest;
  readonly records: CheckedRecords;
  readonly tree: Oid;
}

function signCommit({ site, key, head, request, records, tree }: CommitCase): { oid: Oid; body: Buffer } {
  const seconds = Math.floor(Date.parse(request.timestamp) / 1000);
  const recorder = { name: auditIdentName, email: auditPrincipal(site), seconds, offset: "+0000" };
  const payload = encodeCommit({
    tree,
    parents: head.commit === null ? [] : [head.commit],
    author: recorder,
    committer: recorder,
    message: `audit: batch ${request.batch}, records ${records.count}, size ${records.frontier.size}\n`,
  });
  const body = signedCommit(payload, signSshsig(key, "git", payload));
  return { oid: hashObject("commit", body), body };
}
