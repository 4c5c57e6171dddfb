import { type ExitCode, exitCodes } from "../../base/index.ts";
import type { Compute } from "../../compute/index.ts";
import { readEnvironment } from "../../config/index.ts";
import { ageKeyFileOf, createSecretSources, readSiteIdentity, type SecretSources } from "../../secret/index.ts";
import type { Finding } from "../../spec/index.ts";
import type { Rationale } from "../../store/index.ts";
import { renderFinding } from "../finding-view.ts";
import type { SpecPlace } from "../place/spec-place.ts";
import { dataDirFor } from "../place/target.ts";
import type { Terminal } from "../terminal.ts";
import type { LocalOptions } from "./local-command.ts";
import { liveLines } from "./local-lines.ts";
import type { LocalPlant } from "./local-plant.ts";
import { type LocalReport, renderReport, reportLocally } from "./local-report.ts";
import { findTarget, type LocalDag, type LocalTarget, readDag } from "./local-source.ts";
import { type LocalStart, localStart } from "./local-start.ts";
import { runLocally } from "./run-locally.ts";
import { weakLevelLines } from "./weak-level.ts";

interface LocalSession {
  readonly argument: string;
  readonly options: LocalOptions;
  readonly terminal: Terminal;
  /** Started. */
  readonly compute: Compute;
  /** Being opened: what is wrong with the spec is said first. */
  readonly plant: Promise<LocalPlant>;
}

/** Reads the DAG, runs it and shows what came of it. Faults of the spec, of the start and of the sandbox. */
export async function playDag(session: LocalSession, signal: AbortSignal): Promise<ExitCode> {
  const { argument, options, terminal, compute } = session;
  const target = findTarget(argument, options);
  using _place = target.place;
  const secrets = secretsOf(options);
  const scene = { target, options, terminal, secrets };
  const dag = await readDag(target, { compute, secrets }, signal);
  if (dag.kind === "held") return showHeld(dag, scene);
  const start = await localStart(dag.dag.spec, options, compute, signal);
  return await runReadable(dag, { ...scene, start, plant: await session.plant }, signal);
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
  for (const line of weakLevelLines(plant.facts)) terminal.note(line);
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
