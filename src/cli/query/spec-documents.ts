import type { Compute } from "../../compute/index.ts";
import { DesiredReader } from "../../reconciler/index.ts";
import type { SpecDocument } from "../../spec/index.ts";
import type { SpecPlace } from "../place/spec-place.ts";

/** The readable documents of a place, by path in byte order, and the paths of those that are not. */
export interface SpecDocuments {
  readonly documents: readonly SpecDocument[];
  readonly unreadable: readonly string[];
}

export async function readSpecDocuments(
  { source, revision }: Pick<SpecPlace, "source" | "revision">,
  compute: Pick<Compute, "decode">,
): Promise<SpecDocuments> {
  const reader = new DesiredReader(source, compute);
  const all = await reader.allDocuments(revision, new AbortController().signal);
  const sorted = [...all].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    documents: sorted.flatMap(([, decoded]) => (decoded.ok ? [decoded.document] : [])),
    unreadable: sorted.flatMap(([path, decoded]) => (decoded.ok ? [] : [path])),
  };
}

export const documentsOf = <Kind extends SpecDocument["kind"]>(
  { documents }: SpecDocuments,
  kind: Kind,
): readonly Extract<SpecDocument, { kind: Kind }>[] =>
  documents.filter((document): document is Extract<SpecDocument, { kind: Kind }> => document.kind === kind);
