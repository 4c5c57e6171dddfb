import { type Allowlist, positionOf } from "../../spec/index.ts";
import { documentsOf, type SpecDocuments } from "./spec-documents.ts";

/** One thing that a tenant's steps may do or reach, or that people may change, and the line that says so. */
export interface Grant {
  /** "" = of the repository as a whole. */
  readonly tenant: string;
  readonly kind: "plugin" | "endpoint" | "secret" | "change";
  /** What is granted: `core.*@1.x`, `notify.internal:443 (private)`, `notify_token`, `tenants/acme/dags/*.yaml`. */
  readonly what: string;
  /** Which plugins may use it (empty for a plugin itself), or which people may change it (empty = nobody). */
  readonly to: readonly string[];
  /** How many others of them must approve a change; 0 for all but changes. */
  readonly approvals: number;
  readonly path: string;
  /** 0 = the file as a whole says so. */
  readonly line: number;
}

/** Every grant of every tenant, by (tenant, kind, what). */
export function grantsOf(documents: SpecDocuments, tenant: string | null): readonly Grant[] {
  const grants = documentsOf(documents, "Allowlist")
    .filter((document) => tenant === null || document.tenant === tenant)
    .flatMap(({ tenant: owner, path, positions, spec }) =>
      rowsOf(spec).map(({ pointer, ...row }) => ({
        ...{ tenant: owner, ...row, approvals: 0, path },
        line: positionOf(positions, `/spec${pointer}`).line,
      })),
    );
  const key = (grant: Grant): string => `${grant.tenant}\n${grant.kind}\n${grant.what}`;
  return grants.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

type Row = Pick<Grant, "kind" | "what" | "to"> & { readonly pointer: string };

const rowsOf = ({ plugins, endpoints, secrets }: Allowlist): readonly Row[] => [
  ...plugins.flatMap(({ name, versions }, i) =>
    versions.map((version) => ({
      ...{ kind: "plugin" as const, what: `${name}@${version}`, to: [] },
      pointer: `/plugins/${String(i)}`,
    })),
  ),
  ...endpoints.map(({ host, port, private: isPrivate, for: to }, i) => ({
    ...{ kind: "endpoint" as const, what: `${host}:${String(port)}${isPrivate ? " (private)" : ""}`, to },
    pointer: `/endpoints/${String(i)}`,
  })),
  ...secrets.map(({ name, for: to }, i) => ({
    ...{ kind: "secret" as const, what: name, to },
    pointer: `/secrets/${String(i)}`,
  })),
];

export interface GrantsDiff {
  readonly gained: readonly Grant[];
  readonly lost: readonly Grant[];
}

/** By what is granted, not by where it stands: a grant that moved a line is the same. */
export function diffGrants(before: readonly Grant[], after: readonly Grant[]): GrantsDiff {
  const keyOf = ({ tenant, kind, what, to, approvals }: Grant): string =>
    JSON.stringify([tenant, kind, what, [...to].sort(), approvals]);
  const [had, has] = [new Set(before.map(keyOf)), new Set(after.map(keyOf))];
  return {
    gained: after.filter((grant) => !had.has(keyOf(grant))),
    lost: before.filter((grant) => !has.has(keyOf(grant))),
  };
}
