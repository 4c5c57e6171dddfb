import type { Compute } from "../../compute/index.ts";
import { DesiredReader } from "../../reconciler/index.ts";
import type { SecretSources } from "../../secret/index.ts";
import { type Allowlist, type DagSpec, effectiveAllowlist } from "../../spec/index.ts";
import type { SpecPlace } from "../place/spec-place.ts";

/** One secret of a tenant, from every side; never its value. */
export interface SecretRow {
  readonly tenant: string;
  readonly name: string;
  /** Where the value comes from here; null = it has none. */
  readonly source: "file" | "credential" | "age" | null;
  /** Why what is there must not be used; null = nothing is wrong. */
  readonly defect: string | null;
  /** Plugin patterns of the allowlist. */
  readonly grantedTo: readonly string[];
  /** `dag/step`. */
  readonly usedBy: readonly string[];
}

export interface SecretQuestion {
  readonly place: Pick<SpecPlace, "source" | "revision">;
  readonly sources: SecretSources;
  readonly compute: Pick<Compute, "decode">;
  /** null = every tenant. */
  readonly tenant: string | null;
}

/** Every secret that somebody uses, is granted or holds, by (tenant, name). */
export async function secretRows({ place, sources, compute, tenant }: SecretQuestion): Promise<readonly SecretRow[]> {
  const reader = new DesiredReader(place.source, compute);
  const tenants = tenant === null ? reader.allTenants(place.revision) : [tenant];
  const rows: SecretRow[] = [];
  for (const each of tenants) {
    const { input, blobs } = await reader.readParts(place.revision, each, new AbortController().signal);
    const documents = [...input.documents.values()].flatMap((decoded) => (decoded.ok ? [decoded.document] : []));
    const allowlist = documents.find(({ kind }) => kind === "Allowlist")?.spec as Allowlist | undefined;
    const dags = documents.flatMap((document) => (document.kind === "Dag" ? [document] : []));
    const ages = new Map<string, Uint8Array>();
    for (const { name, sha256 } of input.secrets.pinned) {
      const oid = blobs.get(sha256);
      if (oid !== undefined) ages.set(name, place.source.readBlob(oid));
    }
    const named = { allowlist: allowlist ?? effectiveAllowlist(null), dags, ages };
    rows.push(...(await tenantRows(each, named, sources)));
  }
  return rows;
}

interface Named {
  readonly allowlist: Allowlist;
  readonly dags: readonly { readonly dagId: string; readonly spec: DagSpec }[];
  readonly ages: ReadonlyMap<string, Uint8Array>;
}

async function tenantRows(
  tenant: string,
  { allowlist, dags, ages }: Named,
  sources: SecretSources,
): Promise<SecretRow[]> {
  const uses = dags.flatMap(({ dagId, spec }) =>
    [...spec.steps, ...spec.finally].flatMap(({ stepId, secrets }) =>
      Object.values(secrets).map((name) => ({ name, by: `${dagId}/${stepId}` })),
    ),
  );
  const names = new Set([
    ...uses.map(({ name }) => name),
    ...allowlist.secrets.map(({ name }) => name),
    ...sources.local(tenant).map(({ name }) => name),
    ...ages.keys(),
  ]);
  const rows: SecretRow[] = [];
  for (const name of [...names].sort()) {
    const found = await sources.find(tenant, name, ages.get(name) ?? null);
    rows.push({
      ...{ tenant, name },
      source: found.kind === "absent" ? null : found.source,
      defect: found.kind === "unusable" ? found.why : null,
      grantedTo: allowlist.secrets.filter((grant) => grant.name === name).flatMap((grant) => grant.for),
      usedBy: uses.filter((use) => use.name === name).map(({ by }) => by),
    });
  }
  return rows;
}
