import { type Allowlist, type Finding, pointerTo, type StepSpec } from "../spec/index.ts";
import { secretGranted } from "./grants.ts";

/** What is known of the values of a tenant's secrets, by their names. */
export interface SecretKnowledge {
  /** Age files of the repository. */
  readonly pinned: readonly string[];
  /** What the site has: null = usable, a text = why it is not. null as a whole: nobody asked a site. */
  readonly site: ReadonlyMap<string, string | null> | null;
}

type Denial = Pick<Finding, "severity" | "code" | "pointer" | "message" | "fix">;

/** Secrets of a step that its tenant is not granted, or that have no value. */
export function secretDenials(
  step: StepSpec,
  at: string,
  { allowlist, secrets }: { readonly allowlist: Allowlist; readonly secrets: SecretKnowledge },
): readonly Denial[] {
  return Object.entries(step.secrets).flatMap(([key, name]) => {
    const pointer = pointerTo(`${at}/secrets`, key);
    if (!secretGranted(allowlist, step.uses.name, name)) return [notGranted(step, pointer, name)];
    const missing = missingValue(name, secrets);
    return missing === null ? [] : [{ ...missing, code: "SECRET_MISSING" as const, pointer }];
  });
}

const notGranted = ({ uses }: StepSpec, pointer: string, name: string): Denial => ({
  severity: "denied",
  code: "SECRET_NOT_ALLOWED",
  pointer,
  message: `secret ${name} is not granted for ${uses.name}`,
  fix: `Ask for { name: ${name}, for: ["${uses.name}"] } under secrets in allowlist.yaml.`,
});

function missingValue(
  name: string,
  { pinned, site }: SecretKnowledge,
): Pick<Denial, "severity" | "message" | "fix"> | null {
  if (site === null) {
    if (pinned.includes(name)) return null;
    return {
      severity: "warning",
      message: `secret ${name} has no age file in this repository; each site that runs it must have the value itself`,
      fix: `orrery secret set <tenant>/${name} on the site, or with --age here.`,
    };
  }
  const why = site.get(name);
  if (why === null) return null;
  return {
    severity: "denied",
    message: why === undefined ? `secret ${name} has no value on this site` : `secret ${name} cannot be used: ${why}`,
    fix: `orrery secret set <tenant>/${name} on the site, or with --age in the repository.`,
  };
}
