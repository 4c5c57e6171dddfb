import { breath } from "../base/index.ts";
import type { Compute, DecodedSpec } from "../compute/index.ts";
import type { Oid } from "../git/index.ts";
import type { Finding } from "../spec/index.ts";
import type { BlobCache } from "./blob-cache.ts";
import { orUnreadable } from "./tenant-tree.ts";

export interface PlacedBlob {
  readonly path: string;
  readonly oid: Oid;
}

export interface DecodeDeps {
  readonly cache: BlobCache;
  readonly compute: Pick<Compute, "decode">;
}

const chunkSize = 128;

/**
 * Documents at their paths, in that order; what cannot be read is a finding, what was decoded once is not decoded again.
 * A few at a time: neither thousands of blobs nor thousands of answers may keep the event loop.
 */
export async function decodeBlobs(
  deps: DecodeDeps,
  documents: readonly PlacedBlob[],
  signal: AbortSignal,
): Promise<readonly DecodedSpec[]> {
  const answers: DecodedSpec[] = [];
  for (let at = 0; at < documents.length; at += chunkSize) {
    answers.push(...(await decodeFew(deps, documents.slice(at, at + chunkSize), signal)));
    await breath();
  }
  return answers;
}

async function decodeFew(
  { cache, compute }: DecodeDeps,
  documents: readonly PlacedBlob[],
  signal: AbortSignal,
): Promise<readonly DecodedSpec[]> {
  const answers = new Map<string, DecodedSpec>();
  const sources = documents.flatMap(({ path, oid }) => {
    const known = cache.decoded(path, oid) ?? answers.get(keyOf({ path, oid }));
    if (known !== undefined) answers.set(keyOf({ path, oid }), known);
    const bytes = known === undefined ? orUnreadable(path, () => cache.read(oid)) : null;
    if (bytes === null) return [];
    if (!("code" in bytes)) return [{ path, oid, bytes }];
    answers.set(keyOf({ path, oid }), unread(bytes));
    return [];
  });
  const decoded = sources.length === 0 ? [] : await compute.decode(sources, signal);
  for (const [i, source] of sources.entries()) {
    const answer = decoded[i];
    if (answer === undefined) continue;
    cache.keep(source.path, source.oid, answer);
    answers.set(keyOf(source), answer);
  }
  return documents.map((document) => {
    const answer = answers.get(keyOf(document));
    if (answer === undefined) throw new TypeError(`${document.path} was not decoded`);
    return answer;
  });
}

const keyOf = ({ path, oid }: PlacedBlob): string => `${oid} ${path}`;
const unread = (finding: Finding): DecodedSpec => ({ ok: false, findings: [finding] });
