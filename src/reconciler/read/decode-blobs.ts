import { breath } from "../../base/index.ts";
import type { Compute, DecodedSpec } from "../../compute/index.ts";
import type { Oid } from "../../git/index.ts";
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
  const answers = documents.map(({ path, oid }) => cache.decoded(path, oid));
  const sources = documents.flatMap(({ path, oid }, i) => {
    const bytes = answers[i] === null ? orUnreadable(path, () => cache.read(oid)) : null;
    if (bytes === null) return [];
    if (!("code" in bytes)) return [{ path, oid, bytes, i }];
    answers[i] = { ok: false, findings: [bytes] };
    return [];
  });
  const decoded = sources.length === 0 ? [] : await compute.decode(sources, signal);
  for (const [n, { path, oid, i }] of sources.entries()) {
    const answer = decoded[n];
    if (answer === undefined) throw new TypeError(`${path} was not decoded`);
    cache.keep(path, oid, answer);
    answers[i] = answer;
  }
  return answers.flatMap((answer) => answer ?? []);
}
