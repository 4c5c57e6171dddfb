import { existsSync } from "node:fs";
import path from "node:path";
import { Fault } from "../../base/index.ts";
import type { Compute } from "../../compute/index.ts";
import { appliedState, type DesiredTenant, type ReadableDag } from "../../plan/index.ts";
import { DesiredReader } from "../../reconciler/index.ts";
import type { SecretSources } from "../../secret/index.ts";
import { classifyPath, type Finding, type TenantSnapshot } from "../../spec/index.ts";
import { openSpecPlace, type SpecPlace } from "../place/spec-place.ts";
import { parseTarget } from "../place/target.ts";
import { nearestText } from "../query/nearest.ts";
import { usage } from "../terminal.ts";
import { localRevision } from "./local-request.ts";

export interface LocalTarget {
  readonly place: SpecPlace;
  readonly tenant: string;
  readonly dagId: string;
}

/** FILE (`…/tenants/acme/dags/hello.yaml`) or TENANT/DAG of the work tree at `repo`, or where we stand. Fault USAGE. */
export function findTarget(
  argument: string,
  options: { readonly repo?: string; readonly tenant?: string },
): LocalTarget {
  if (!/\.ya?ml$/.test(argument)) {
    const { tenant, name } = parseTarget(argument, options);
    return { place: workTreeAt(options.repo ?? "."), tenant, dagId: name };
  }
  const file = path.resolve(argument);
  if (!existsSync(file)) throw new Fault("NOT_FOUND", `${argument} does not exist`);
  const place = workTreeAt(options.repo ?? path.dirname(file));
  const at = path.relative(place.path, file).split(path.sep).join("/");
  const where = classifyPath(at);
  if (where?.kind !== "Dag") throw usage(`${at} is no DAG: those are tenants/<tenant>/dags/<dagId>.yaml`);
  return { place, tenant: where.tenant, dagId: where.dagId };
}

function workTreeAt(start: string): SpecPlace {
  const place = openSpecPlace(start, undefined);
  if (place.kind === "files") return place;
  place[Symbol.dispose]();
  throw usage(`${place.path} is a bare repository: run --local runs the files of a work tree`);
}

/** A DAG as a daemon would apply it, with everything that its runs would be pinned to. */
export type LocalDag =
  | {
      readonly kind: "readable";
      readonly dag: ReadableDag;
      readonly snapshot: TenantSnapshot;
      readonly content: (sha256: string) => Uint8Array | null;
      readonly findings: readonly Finding[];
    }
  /** It would be held: there is nothing to run. */
  | { readonly kind: "held"; readonly findings: readonly Finding[] };

/** Reads one tenant of the work tree, files as they stand. Fault DAG_NOT_FOUND. */
export async function readDag(
  { place, tenant, dagId }: LocalTarget,
  { compute, secrets }: { readonly compute: Compute; readonly secrets: Pick<SecretSources, "states"> },
  signal: AbortSignal,
): Promise<LocalDag> {
  const reader = new DesiredReader(place.source, compute, (of, age) => secrets.states(of, age));
  const read = await reader.readTenant(place.revision, tenant, signal);
  const { desired } = read;
  if (desired.kind === "unreadable") return { kind: "held", findings: desired.findings };
  const dag = desired.dags.find((candidate) => candidate.dagId === dagId);
  if (dag === undefined) throw new Fault("DAG_NOT_FOUND", notFound(reader, place, { desired, dagId }));
  const findings = [...desired.findings.filter(({ severity }) => severity === "error"), ...dag.findings];
  if (dag.kind === "unreadable") return { kind: "held", findings };
  const { snapshot } = appliedState({ ...desired, dags: [dag] }, localRevision);
  if (snapshot === null) throw new Fault("INTERNAL", "a readable DAG cannot be pinned");
  return { kind: "readable", dag, snapshot, content: (sha256) => read.content(sha256), findings };
}

function notFound(
  reader: DesiredReader,
  place: SpecPlace,
  { desired, dagId }: { readonly desired: DesiredTenant & { readonly kind: "readable" }; readonly dagId: string },
): string {
  const { tenant, dags } = desired;
  const tenants = reader.allTenants(place.revision);
  if (!tenants.includes(tenant)) return `${place.name} have no tenant ${tenant}${nearestText(tenant, tenants)}`;
  const near = nearestText(
    dagId,
    dags.map((dag) => dag.dagId),
  );
  return `tenant ${tenant} has no DAG ${dagId} in ${place.name}${near}`;
}
