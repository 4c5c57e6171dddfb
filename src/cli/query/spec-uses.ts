import { nameMatches, sameHost, versionMatches } from "../../policy/index.ts";
import { pointerTo, positionOf, type SpecDocument, type StepSpec } from "../../spec/index.ts";
import { usage } from "../terminal.ts";
import { documentsOf, type SpecDocuments } from "./spec-documents.ts";

/** What `where` looks for. */
export type Wanted =
  | { readonly kind: "plugin"; readonly name: string; readonly version: string | null }
  | { readonly kind: "endpoint"; readonly host: string; readonly port: number | null }
  | { readonly kind: "secret"; readonly name: string };

/** One place that names what was looked for. */
export interface Use {
  readonly path: string;
  readonly line: number;
  readonly col: number;
  readonly tenant: string;
  /** `use`: a step asks for it; `grant`: an allowlist gives it. */
  readonly what: "use" | "grant";
  readonly dagId: string | null;
  readonly stepId: string | null;
  /** As the document has it: `vex-lens.link@1.0.0`, `core.* 1.x`, `notify.internal:443`. */
  readonly text: string;
}

/** `plugin:NAME[@VERSION]`, `endpoint:HOST[:PORT]`, `secret:NAME`. Fault USAGE for anything else. */
export function parseWanted(text: string): Wanted {
  const plugin = /^plugin:([a-z0-9.-]{1,127})(?:@([0-9A-Za-z.-]{1,64}))?$/.exec(text);
  if (plugin?.[1] !== undefined) return { kind: "plugin", name: plugin[1], version: plugin[2] ?? null };
  const endpoint = /^endpoint:(\[[0-9a-fA-F:.]+\]|[0-9A-Za-z.-]{1,253})(?::(\d{1,5}))?$/.exec(text);
  if (endpoint?.[1] !== undefined)
    return { kind: "endpoint", host: endpoint[1], port: endpoint[2] === undefined ? null : Number(endpoint[2]) };
  const secret = /^secret:([a-z][a-z0-9_]{0,62})$/.exec(text);
  if (secret?.[1] !== undefined) return { kind: "secret", name: secret[1] };
  throw usage(`${text} is not plugin:NAME[@VERSION], endpoint:HOST[:PORT] or secret:NAME`);
}

/** Every step that asks for it and every allowlist line that grants it, by (path, line, col). */
export function usesOf(documents: SpecDocuments, wanted: Wanted): readonly Use[] {
  const uses = [
    ...documentsOf(documents, "Dag").flatMap((dag) => dagUses(dag, wanted)),
    ...documentsOf(documents, "Allowlist").flatMap((allowlist) => grantUses(allowlist, wanted)),
  ];
  return uses.sort((a, b) => (a.path === b.path ? a.line - b.line || a.col - b.col : a.path < b.path ? -1 : 1));
}

type DagDocument = Extract<SpecDocument, { kind: "Dag" }>;
type AllowlistDocument = Extract<SpecDocument, { kind: "Allowlist" }>;

function dagUses(dag: DagDocument, wanted: Wanted): readonly Use[] {
  const groups = [
    { at: "/spec/steps", steps: dag.spec.steps },
    { at: "/spec/finally", steps: dag.spec.finally },
  ];
  return groups.flatMap(({ at, steps }) =>
    steps.flatMap((step) =>
      stepUses(step, wanted).map(({ pointer, text }) => ({
        ...placeOf(dag, pointerTo(at, step.stepId) + pointer),
        ...{ what: "use" as const, dagId: dag.dagId, stepId: step.stepId, text },
      })),
    ),
  );
}

interface Found {
  /** Below the step or the spec. */
  readonly pointer: string;
  readonly text: string;
}

function stepUses(step: StepSpec, wanted: Wanted): readonly Found[] {
  switch (wanted.kind) {
    case "plugin": {
      const { name, version } = step.uses;
      const fits = name === wanted.name && (wanted.version === null || version === wanted.version);
      return fits ? [{ pointer: "/uses", text: `${name}@${version}` }] : [];
    }
    case "endpoint":
      return step.network.flatMap((target, i) =>
        endpointFits(target, wanted) ? [{ pointer: `/network/${String(i)}`, text: target }] : [],
      );
    case "secret":
      return Object.entries(step.secrets).flatMap(([given, name]) =>
        name === wanted.name ? [{ pointer: pointerTo("/secrets", given), text: `${given}: ${name}` }] : [],
      );
  }
}

function endpointFits(target: string, { host, port }: Extract<Wanted, { kind: "endpoint" }>): boolean {
  const cut = target.lastIndexOf(":");
  return sameHost(target.slice(0, cut), host) && (port === null || Number(target.slice(cut + 1)) === port);
}

function grantUses(allowlist: AllowlistDocument, wanted: Wanted): readonly Use[] {
  return grantsFor(allowlist.spec, wanted).map(({ pointer, text }) => ({
    ...placeOf(allowlist, `/spec${pointer}`),
    ...{ what: "grant" as const, dagId: null, stepId: null, text },
  }));
}

function grantsFor({ plugins, endpoints, secrets }: AllowlistDocument["spec"], wanted: Wanted): readonly Found[] {
  switch (wanted.kind) {
    case "plugin":
      return plugins.flatMap(({ name, versions }, i) => {
        const { version } = wanted;
        const fits = version === null || versions.some((pattern) => versionMatches(pattern, version));
        const text = `${name} ${versions.join(", ")}`;
        return fits && nameMatches(name, wanted.name) ? [{ pointer: `/plugins/${String(i)}`, text }] : [];
      });
    case "endpoint":
      return endpoints.flatMap((grant, i) => {
        const fits = sameHost(grant.host, wanted.host) && (wanted.port === null || grant.port === wanted.port);
        const text = `${grant.host}:${String(grant.port)} for ${grant.for.join(", ")}`;
        return fits ? [{ pointer: `/endpoints/${String(i)}`, text }] : [];
      });
    case "secret":
      return secrets.flatMap((grant, i) =>
        grant.name === wanted.name
          ? [{ pointer: `/secrets/${String(i)}`, text: `${grant.name} for ${grant.for.join(", ")}` }]
          : [],
      );
  }
}

const placeOf = (document: DagDocument | AllowlistDocument, pointer: string) => ({
  path: document.path,
  ...positionOf(document.positions, pointer),
  tenant: document.tenant,
});
