import { canonicalText, type Json, type JsonObject } from "../../base/index.ts";
import type { DocumentKind } from "../decode/document-path.ts";
import type { components } from "../generated/documents.ts";
import { durationMs, sizeBytes } from "../value/units.ts";
import { defaults } from "./defaults.ts";
import { emptyInputs, expandInputs } from "./inputs-schema.ts";

type Documents = components["schemas"];
type Dag = Documents["Dag"]["spec"];

/**
 * `spec` in normal form (DESIGN.md section 2): shorthands written out, sets sorted, durations as ms and sizes as bytes,
 * values equal to a default and empty mappings removed. The document has passed its schema.
 */
export function normalSpec(kind: DocumentKind, spec: JsonObject): JsonObject {
  switch (kind) {
    case "Dag":
      return normalDag(spec as unknown as Dag);
    case "Quota":
      return normalQuota(spec);
    case "Allowlist":
      return normalAllowlist(spec);
    case "Slo":
      return normalSlo(spec as unknown as Documents["Slo"]["spec"]);
    case "Tenant":
      return normalTenant(spec as unknown as Documents["Tenant"]["spec"]);
    case "Repository":
      return normalRepository(spec);
    case "Site":
      return normalSite(spec as unknown as Documents["Site"]["spec"]);
    case "Plugin":
      return normalPlugin(spec as unknown as Documents["Plugin"]["spec"]);
  }
}

/** Leaves out what is undefined, an empty mapping or an empty list. */
function without(members: Readonly<Record<string, unknown>>): JsonObject {
  const kept = Object.entries(members).filter(([, value]) => !isNothing(value));
  return Object.fromEntries(kept) as JsonObject;
}

function isNothing(value: unknown): boolean {
  if (value === undefined) return true;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

/** undefined where the value is absent or equals the default. */
function unless<T>(value: T | undefined, normalDefault: unknown): T | undefined {
  if (value === undefined) return undefined;
  return canonicalText(value) === canonicalText(normalDefault) ? undefined : value;
}

const ms = (text: string | undefined): number | undefined => (text === undefined ? undefined : durationMs(text));
const bytes = (text: string | undefined): number | undefined => (text === undefined ? undefined : sizeBytes(text));

/** A set in byte order (all of these are ASCII, or compared alike by UTF-16 units). */
const sorted = (items: readonly string[] | undefined): readonly string[] | undefined =>
  items === undefined ? undefined : [...new Set(items)].sort();

function normalDag(spec: Dag): JsonObject {
  const inputs = spec.inputsSchema ?? (spec.inputs === undefined ? undefined : expandInputs(spec.inputs));
  return without({
    rationale: spec.rationale,
    inputsSchema: unless(inputs, emptyInputs),
    schedules: spec.schedules?.map(normalSchedule),
    concurrency: without({
      max: unless(spec.concurrency?.max, defaults.dag.concurrency.max),
      overlap: unless(spec.concurrency?.overlap, defaults.dag.concurrency.overlap),
    }),
    timeout: unless(ms(spec.timeout), defaults.dag.timeoutMs),
    steps: mapValues(spec.steps, normalStep),
    finally: mapValues(spec.finally ?? {}, normalStep),
  });
}

const mapValues = <T, R>(object: Readonly<Record<string, T>>, map: (value: T) => R): Readonly<Record<string, R>> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]));

function normalSchedule(schedule: Documents["Schedule"]): JsonObject {
  return without({
    name: unless(schedule.name, defaults.schedule.name),
    cron: schedule.cron,
    every: ms(schedule.every),
    timezone: unless(schedule.timezone, defaults.schedule.timezone),
    catchUp: without({
      policy: unless(schedule.catchUp?.policy, defaults.schedule.catchUpPolicy),
      maxAge: ms(schedule.catchUp?.maxAge),
    }),
    inputs: schedule.inputs,
  });
}

function normalStep(step: Documents["Step"]): JsonObject {
  return without({
    uses: step.uses,
    needs: sorted(typeof step.needs === "string" ? [step.needs] : step.needs),
    when: step.when?.trim(),
    with: step.with,
    code: step.code,
    files: sorted(step.files),
    network: sorted(step.network),
    secrets: step.secrets,
    forEach: step.forEach === undefined ? undefined : normalForEach(step.forEach),
    retry: normalRetry(step.retry ?? {}),
    limits: normalLimits(step.limits ?? {}),
    continueOnError: unless(step.continueOnError, defaults.step.continueOnError),
    isolation: step.isolation,
  });
}

function normalForEach(forEach: Documents["ForEach"]): JsonObject {
  const rest = without({
    as: unless(forEach.as, defaults.forEach.as),
    maxItems: unless(forEach.maxItems, defaults.forEach.maxItems),
    maxParallel: forEach.maxParallel,
  });
  // An empty list is a list: it must not be left out.
  return { ...rest, in: typeof forEach.in === "string" ? forEach.in.trim() : (forEach.in as readonly Json[]) };
}

function normalRetry(retry: Documents["Retry"]): JsonObject {
  const rest = without({
    maxAttempts: unless(retry.maxAttempts, defaults.retry.maxAttempts),
    backoff: unless(ms(retry.backoff), defaults.retry.backoffMs),
    factor: unless(retry.factor, defaults.retry.factor),
    maxBackoff: unless(ms(retry.maxBackoff), defaults.retry.maxBackoffMs),
  });
  const errors = unless(sorted(retry.errors), defaults.retry.errors);
  // An empty list is a value here: nothing is tried again.
  return errors === undefined ? rest : { ...rest, errors };
}

function normalLimits(limits: Documents["Limits"]): JsonObject {
  return without({
    memory: unless(bytes(limits.memory), defaults.limits.memoryBytes),
    cpuTime: unless(ms(limits.cpuTime), defaults.limits.cpuTimeMs),
    scratch: unless(bytes(limits.scratch), defaults.limits.scratchBytes),
    timeout: unless(ms(limits.timeout), defaults.limits.timeoutMs),
  });
}

function normalQuota({ overrides = [], ...spec }: Documents["Quota"]["spec"]): JsonObject {
  const { quota } = defaults;
  return without({
    weight: unless(spec.weight, quota.weight),
    runs: without({
      maxConcurrent: unless(spec.runs?.maxConcurrent, quota.maxConcurrentRuns),
      maxQueued: unless(spec.runs?.maxQueued, quota.maxQueuedRuns),
      startsPerHour: spec.runs?.startsPerHour,
    }),
    steps: without({ maxConcurrent: unless(spec.steps?.maxConcurrent, quota.maxConcurrentSteps) }),
    perStep: without({
      memory: unless(bytes(spec.perStep?.memory), quota.perStep.memoryBytes),
      cpuTime: unless(ms(spec.perStep?.cpuTime), quota.perStep.cpuTimeMs),
      timeout: unless(ms(spec.perStep?.timeout), quota.perStep.timeoutMs),
      scratch: unless(bytes(spec.perStep?.scratch), quota.perStep.scratchBytes),
      output: unless(bytes(spec.perStep?.output), quota.perStep.outputBytes),
    }),
    perDay: normalPerDay(spec.perDay),
    minInterval: unless(ms(spec.minInterval), quota.minIntervalMs),
    overrides: overrides.length === 0 ? undefined : overrides.map(normalOverride),
  });
}

/** No value is left out for being a default: over another quota it says something. */
function normalOverride(override: Documents["QuotaOverride"]): JsonObject {
  const { perStep } = override;
  return without({
    until: utc(override.until),
    rationale: override.rationale,
    weight: override.weight,
    runs: without({ ...override.runs }),
    steps: without({ ...override.steps }),
    perStep: without({
      memory: bytes(perStep?.memory),
      cpuTime: ms(perStep?.cpuTime),
      timeout: ms(perStep?.timeout),
      scratch: bytes(perStep?.scratch),
      output: bytes(perStep?.output),
    }),
    perDay: normalPerDay(override.perDay),
    minInterval: ms(override.minInterval),
  });
}

const normalPerDay = (perDay: Documents["Quota"]["spec"]["perDay"]): JsonObject =>
  without({ cpuTime: ms(perDay?.cpuTime), artifacts: bytes(perDay?.artifacts) });

function normalAllowlist(spec: Documents["Allowlist"]["spec"]): JsonObject {
  return without({
    plugins: spec.plugins?.map((grant) => without({ ...grant, versions: sorted(grant.versions) })),
    endpoints: spec.endpoints?.map((grant) =>
      without({ ...grant, private: unless(grant.private, defaults.allowlist.private), for: sorted(grant.for) }),
    ),
    secrets: spec.secrets?.map((grant) => without({ ...grant, for: sorted(grant.for) })),
  });
}

/** `success` becomes a number of percent. */
function normalSlo(spec: Documents["Slo"]["spec"]): JsonObject {
  const objectives = spec.objectives.map((objective) =>
    without({
      dag: objective.dag,
      success: objective.success === undefined ? undefined : Number(objective.success.slice(0, -1)),
      within: ms(objective.within),
      fresh: ms(objective.fresh),
      window: unless(ms(objective.window), defaults.slo.windowMs),
    }),
  );
  return { objectives };
}

function normalRepository(spec: Documents["Repository"]["spec"]): JsonObject {
  const { repository } = defaults;
  return without({
    trust: without({
      commits: unless(spec.trust?.commits, repository.commits),
      merges: unless(spec.trust?.merges, repository.merges),
      groups: mapValues(spec.trust?.groups ?? {}, sorted),
      // The first match wins: the order says something.
      paths: spec.trust?.paths?.map(({ match, by, approvals }) =>
        without({ match, by, approvals: unless(approvals, repository.approvals) }),
      ),
      forges: sorted(spec.trust?.forges),
    }),
    brakes: without({ prunePercent: unless(spec.brakes?.prunePercent, repository.prunePercent) }),
  });
}

/** `never` is the default. */
const ageMs = (text: string | undefined): number | undefined => (text === "never" ? undefined : ms(text));

function normalSite(spec: Documents["Site"]["spec"]): JsonObject {
  const keys = spec.audit.keys.map((key) => without({ key: key.key, from: unless(key.from, defaults.site.keyFrom) }));
  const { warnAfter, stopAfter } = spec.offline ?? {};
  const offline = without({ warnAfter: ageMs(warnAfter), stopAfter: ageMs(stopAfter) });
  return without({ tenants: sorted(spec.tenants), audit: { keys }, offline });
}

type Needs = NonNullable<Documents["Plugin"]["spec"]["needs"]>;

/** A set by name. */
function neededSecrets(secrets: Needs["secrets"]): readonly JsonObject[] | undefined {
  const written = secrets?.map((secret) => (typeof secret === "string" ? { name: secret } : secret));
  return written
    ?.toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, optional }) => without({ name, optional: unless(optional, defaults.plugin.secretOptional) }));
}

function normalPlugin(spec: Documents["Plugin"]["spec"]): JsonObject {
  const { plugin } = defaults;
  return {
    ...without({
      service: spec.service,
      emits: spec.emits,
      sha256: spec.sha256,
      effects: unless(spec.effects, plugin.effects),
      needs: without({
        network: unless(spec.needs?.network, plugin.needsNetwork),
        builtins: sorted(spec.needs?.builtins),
        secrets: neededSecrets(spec.needs?.secrets),
      }),
      isolation: unless(spec.isolation, plugin.isolation),
      nondeterministic: unless(spec.nondeterministic, plugin.nondeterministic),
    }),
    input: spec.input as unknown as JsonObject,
    output: spec.output as unknown as JsonObject,
  };
}

function normalTenant({ freeze = [], ...spec }: Documents["Tenant"]["spec"]): JsonObject {
  const windows = freeze.map(({ from, until, rationale }) => ({ from: utc(from), until: utc(until), rationale }));
  return without({
    ...spec,
    suspend: unless(spec.suspend, defaults.tenant.suspend),
    freeze: windows.length === 0 ? undefined : windows,
  });
}

/** As DESIGN.md law 4 writes an instant. */
const utc = (text: string): string => new Date(text).toISOString();
