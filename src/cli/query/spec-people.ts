import { pathMatcher, positionOf } from "../../spec/index.ts";
import { ruleAuthority } from "../lint/rule-authority.ts";
import type { SpecPlace } from "../place/spec-place.ts";
import { documentsOf, type SpecDocuments } from "./spec-documents.ts";
import type { Grant } from "./spec-grants.ts";

/** A part of the repository that rules are made for; `sample` is a file that nobody has written yet. */
interface Area {
  /** null = no tenant's. */
  readonly tenant: string | null;
  readonly what: string;
  readonly sample: string;
}

const tenantAreas: readonly (readonly [what: string, sample: string])[] = [
  ["dags/*.yaml", "dags/new.yaml"],
  ["tenant.yaml", "tenant.yaml"],
  ["quota.yaml", "quota.yaml"],
  ["allowlist.yaml", "allowlist.yaml"],
  ["slo.yaml", "slo.yaml"],
  ["files/**", "files/new"],
  ["plugins/**", "plugins/new.task/1.0.0/plugin.yaml"],
  ["secrets/*.age", "secrets/new.age"],
];

const sharedAreas: readonly (readonly [what: string, sample: string])[] = [
  ["orrery.yaml", "orrery.yaml"],
  ["keys/**", "keys/spec_signers"],
  ["sites/*.yaml", "sites/new.yaml"],
  ["plugins/**", "plugins/new.task/1.0.0/plugin.yaml"],
];

/**
 * Who may change what, as orrery.yaml and keys/spec_signers say: a row for each part of a tenant and of the repository, and
 * one more where a rule is about some of its documents alone. `to` are the principals; nobody = [].
 */
export function changersOf(place: SpecPlace, documents: SpecDocuments, tenants: readonly string[]): readonly Grant[] {
  const authorityOf = ruleAuthority(place);
  const ruleAt = ruleFinder(documents);
  const paths = documents.documents.map(({ path }) => path);
  const areas: readonly Area[] = [
    ...tenants.flatMap((tenant) =>
      tenantAreas.map(([what, sample]) => ({
        ...{ tenant, what: `tenants/${tenant}/${what}`, sample: `tenants/${tenant}/${sample}` },
      })),
    ),
    ...sharedAreas.map(([what, sample]) => ({ tenant: null, what, sample })),
  ];
  return areas.flatMap(({ tenant, what, sample }) => {
    const matches = pathMatcher(what);
    const rows = new Map<string, Grant>();
    for (const path of [sample, ...paths.filter(matches)]) {
      const { changedBy, approvals } = authorityOf(path);
      const rule = ruleAt(path);
      const key = String(rule.line);
      const own = path === sample || rows.has(key) ? what : path;
      if (!rows.has(key))
        rows.set(key, { tenant: tenant ?? "", kind: "change", what: own, to: changedBy, approvals, ...rule });
    }
    return [...rows.values()];
  });
}

/** The line that decides about a path; 0 where a file as a whole does. */
function ruleFinder(documents: SpecDocuments): (path: string) => Pick<Grant, "path" | "line"> {
  const [repository] = documentsOf(documents, "Repository");
  const rules = repository?.spec.trust.paths?.map(({ match }) => pathMatcher(match)) ?? null;
  return (path) => {
    if (repository === undefined || rules === null) return { path: "keys/spec_signers", line: 0 };
    const index = rules.findIndex((matches) => matches(path));
    const pointer = index < 0 ? "/spec/trust/paths" : `/spec/trust/paths/${String(index)}`;
    return { path: repository.path, line: positionOf(repository.positions, pointer, "key").line };
  };
}
