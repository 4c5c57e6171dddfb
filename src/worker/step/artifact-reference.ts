import type { Json } from "../../base/index.ts";

/** SHA-256 of every artifact reference `{artifact, bytes, mediaType}` in a value, sorted, each once. */
export function referencedArtifacts(value: Json): readonly string[] {
  const found = new Set<string>();
  collect(value, found);
  return [...found].sort();
}

function collect(value: Json, found: Set<string>): void {
  if (value === null || typeof value !== "object") return;
  if (!isList(value) && isReference(value)) found.add(value.artifact);
  for (const member of isList(value) ? value : Object.values(value)) collect(member, found);
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

function isReference(value: { readonly [key: string]: Json }): value is { readonly artifact: string } {
  const { artifact, bytes, mediaType, ...others } = value;
  return (
    typeof artifact === "string" &&
    /^[0-9a-f]{64}$/.test(artifact) &&
    typeof bytes === "number" &&
    typeof mediaType === "string" &&
    Object.keys(others).length === 0
  );
}
