import { type ExitCode, exitCodes } from "../../base/index.ts";
import { readEnvironment } from "../../config/index.ts";
import { ageKeyFileOf, createSecretSources, readSiteIdentity, type SecretSources } from "../../secret/index.ts";
import type { Finding } from "../../spec/index.ts";
import type { Rationale } from "../../store/index.ts";
import { renderFinding } from "../finding-view.ts";
import { withCompute } from "../one-compute.ts";
import type { SpecPlace } from "../spec-place.ts";
import { untilStopped } from "../stop-signal.ts";
import { dataDirFor, type OutputFormat } from "../target.ts";
import type { Terminal } from "../terminal.ts";
import { liveLines } from "./local-lines.ts";
import { type LocalPlant, openLocalPlant } from "./local-plant.ts";
import { type LocalReport, renderReport, reportLocally } from "./local-report.ts";
import { findTarget, type LocalDag, type LocalTarget, readDag } from "./local-source.ts";
import { type LocalStart, localStart, type StartOptions } from "./local-start.ts";
import { runLocally } from "./run-locally.ts";

export interface LocalOptions extends StartOptions {
  readonly repo?: string;
  readonly tenant?: string;
  /** Whose secret files and age key are used; none by itself where there is no installation. */
  readonly data?: string;
  readonly rationale: string | null;
  readonly allowWeak: boolean;
  readonly keep: boolean;
  readonly output: OutputFormat;
}

/**
 * `orrery run --local`: one DAG of a work tree, in the real sandbox, without daemon or database. Exit 0 it succeeded, 1 it
 * did not or would be held, 3 a daemon would not start it, for something is not granted.
 */
export async function runLocalCommand(argument: string, options: LocalOptions, terminal: Terminal): Promise<ExitCode> {
  const target = findTarget(argument, options);
  using _place = target.place;
  using stop = untilStopped();
  return await withCompute(async (compute) => {
    const secrets = secretsOf(options);
    const plant = openLocalPlant({
      compute,
      // Elsewhere there is no stronger one to be had.
      allowWeak: options.allowWeak || process.platform !== "linux",
      keepStore: options.keep,
      warn: (message) => terminal.note(message),
    });
    // Its failure is heard below: what is wrong with the spec is said first.
    plant.catch(() => undefined);
    const scene = { target, options, terminal, secrets };
    try {
      const dag = await readDag(target, { compute, secrets }, stop.signal);
      if (dag.kind === "held") return showHeld(dag, scene);
      const start = await localStart(dag.dag.spec, options, compute, stop.signal);
      return await runReadable(dag, { ...scene, start, plant: await plant }, stop.signal);
    } finally {
      await (await plant.catch(() => null))?.[Symbol.asyncDispose]();
    }
  });
}

interface Scene {
  readonly target: LocalTarget;
  readonly options: LocalOptions;
  readonly terminal: Terminal;
  readonly secrets: SecretSources;
}

interface ReadyScene extends Scene {
  readonly plant: LocalPlant;
  readonly start: LocalStart;
}

function secretsOf(options: LocalOptions): SecretSources {
  const dataDir = dataDirFor(options);
  const identity = async (): Promise<string | null> =>
    (await readSiteIdentity(ageKeyFileOf(dataDir)))?.identity ?? null;
  return createSecretSources({ dataDir, credentialsDir: readEnvironment().credentialsDir, identity });
}

function showHeld({ findings }: LocalDag, { target, options, terminal }: Scene): ExitCode {
  if (options.output === "json") {
    showFindings(findings, target.place, (line) => terminal.note(line));
    terminal.print(JSON.stringify({ ok: false, findings }));
  } else {
    showFindings(findings, target.place, (line) => terminal.print(line));
    terminal.print(`${target.tenant}/${target.dagId} would be held: nothing to run`);
  }
  return exitCodes.findings;
}

async function runReadable(
  { dag, snapshot, content, findings }: LocalDag & { readonly kind: "readable" },
  { target, options, terminal, plant, secrets, start }: ReadyScene,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { tenant, dagId, place } = target;
  terminal.note(`${tenant}/${dagId} of ${place.name}, sandbox level ${plant.level}; nothing is recorded`);
  if (plant.level === "process")
    terminal.note(`WARNING  level process stops accidents only, not hostile code: ${plant.facts.reason ?? ""}`);
  showFindings(findings, place, (line) => terminal.note(line));
  const request = {
    ...{ tenant, dagId, specHash: dag.specHash, specText: dag.specText, snapshot, content, ...start },
    rationale: rationaleOf(dag.spec.rationale, options.rationale),
  };
  const observer = liveLines((line) => terminal.note(line));
  const report = reportLocally(await runLocally(plant, request, { observer, secrets }, signal), plant.level);
  const denied = findings.filter(({ severity }) => severity === "denied");
  show(report, { findings, store: options.keep ? plant.storeDir : null }, { options, terminal });
  if (denied.length > 0) terminal.note(`a daemon would not start this DAG: ${denied.length} of it not granted`);
  if (denied.length > 0) return exitCodes.refused;
  return report.status === "succeeded" ? exitCodes.ok : exitCodes.findings;
}

function show(
  report: LocalReport,
  { findings, store }: { readonly findings: readonly Finding[]; readonly store: string | null },
  { options, terminal }: Pick<Scene, "options" | "terminal">,
): void {
  if (options.output === "json") {
    const ok = report.status === "succeeded" && !findings.some(({ severity }) => severity === "denied");
    terminal.print(JSON.stringify({ ok, ...report, findings, store }));
    return;
  }
  terminal.print(renderReport(report));
  if (store !== null) terminal.print(`store        ${store} (yours to remove)`);
}

function rationaleOf(spec: string | null, given: string | null): readonly Rationale[] {
  return [
    ...(spec === null ? [] : [{ source: "spec" as const, text: spec }]),
    ...(given === null ? [] : [{ source: "trigger" as const, text: given }]),
  ];
}

function showFindings(findings: readonly Finding[], place: SpecPlace, say: (line: string) => void): void {
  const { tree } = place.source.readCommit(place.revision);
  const readText = (path: string): string | null => {
    const entry = place.source.entryAt(tree, path);
    return entry?.kind === "blob" && entry.defect === null ? place.source.readBlob(entry.oid).toString("utf8") : null;
  };
  for (const finding of findings) say(renderFinding(finding, readText));
}
