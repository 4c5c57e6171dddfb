import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import { type ExitCode, exitCodes, systemClock } from "../../base/index.ts";
import { configFileOf, loadConfig, readEnvironment } from "../../config/index.ts";
import { ensureRecorderKey, recorderKeyFileOf, refuseHeldDirectory, startDaemon } from "../../daemon/index.ts";
import { auditSignersText } from "../../record/index.ts";
import { createLentSecrets } from "../../secret/index.ts";
import { readPrivateKey } from "../../signer/index.ts";
import { createLogger, createRedact, type Logger, type Redact } from "../../telemetry/index.ts";
import { publicKeyLine } from "../../trust/index.ts";
import { shellWord } from "../place/shell-word.ts";
import { untilStopped } from "../stop-signal.ts";
import type { Terminal } from "../terminal.ts";
import { versionText } from "../version.ts";
import { type DemoLayout, demoLayout, demoSite } from "./demo-layout.ts";
import { makeDemoRepository } from "./demo-repository.ts";
import { type DemoScene, tellStory, verdictExit, verdictLine } from "./demo-story.ts";
import { DemoWaits } from "./demo-waits.ts";
import { boardPort, openNoticeBoard } from "./notice-board.ts";

export interface DemoOptions {
  readonly dataDir: string;
  /** Stop after the story, with one JSON line as the last. */
  readonly exit: boolean;
}

/** `orrery up --demo`: the whole line on real input, told in about thirty lines. */
export async function runDemo(options: DemoOptions, terminal: Terminal): Promise<ExitCode> {
  const layout = demoLayout(options.dataDir);
  // Before the board: its port is taken by the very daemon that holds the directory, and that is the answer.
  refuseHeldDirectory(layout.dataDir);
  terminal.print(`orrery ${versionText()} demo in ${layout.dataDir} (delete the folder and nothing is left)`);
  using stop = untilStopped();
  await using board = await openNoticeBoard(portOf(layout), !existsSync(layout.repository));
  await prepare(layout, board.port, terminal);
  const waits = new DemoWaits();
  const lent = createLentSecrets(() => systemClock.monotonicMs());
  const daemon = await startDaemon({
    config: configOf(layout),
    version: versionText(),
    log: fileLogger(layout.log, createRedact(lent.literals)),
    lent,
    emit: waits.emit,
    anyPort: true,
    recorder: { maxWaitMs: 2000 },
  });
  try {
    const scene: DemoScene = { daemon, waits, layout, board, terminal, signal: stop.signal };
    showParts(scene);
    const verdict = await tellStory(scene).catch((error: unknown) => {
      if (stop.signal.aborted) return null;
      throw error;
    });
    if (verdict === null) return exitCodes.ok;
    for (const line of verdict.missing) terminal.note(`missing: ${line}`);
    if (options.exit) {
      terminal.print(verdictLine(scene, verdict, performance.now() / 1000));
      return verdictExit(verdict);
    }
    showDoors(scene);
    await stop.stopped;
    return verdictExit(verdict);
  } finally {
    await daemon.stop();
  }
}

/** The port that the specs name: a second start must not move it. */
function portOf(layout: DemoLayout): number {
  const file = path.join(layout.dataDir, "demo", "board-port");
  return existsSync(file) ? Number(readFileSync(file, "utf8")) : boardPort;
}

async function prepare(layout: DemoLayout, port: number, terminal: Terminal): Promise<void> {
  const began = performance.now();
  mkdirSync(path.join(layout.dataDir, "demo"), { recursive: true });
  writeFileSync(path.join(layout.dataDir, "demo", "board-port"), String(port));
  ensureRecorderKey(layout.dataDir, demoSite);
  const recorderLine = recorderPublicLine(layout);
  writeFileSync(layout.auditSigners, auditSignersText(demoSite, [{ from: 1, key: recorderLine }]));
  const { isNew, files } = await makeDemoRepository(layout, recorderLine, port);
  if (isNew)
    writeFileSync(
      configFileOf(layout.dataDir),
      `site: { name: ${demoSite} }\nrepository: ${JSON.stringify(layout.repository)}\nsandbox:\n  allowWeak: { level: process, reason: only the demo on this machine }\n`,
    );
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  terminal.print(
    `set up     specs.git${isNew ? `: ${files} files, first commit signed by the demo person's key` : ": as the last start left it"}  ${seconds} s`,
  );
}

/** The .pub stands beside the key and stays readable when the key belongs to the signer's own user. */
function recorderPublicLine(layout: DemoLayout): string {
  const file = `${recorderKeyFileOf(layout.dataDir)}.pub`;
  if (!existsSync(file)) return publicKeyLine(readPrivateKey(recorderKeyFileOf(layout.dataDir)).blob);
  return readFileSync(file, "utf8").trim().split(" ").slice(0, 2).join(" ");
}

function configOf(layout: DemoLayout) {
  const environment = readEnvironment();
  return loadConfig({
    flags: { data: layout.dataDir },
    environment,
    cwd: process.cwd(),
    isRoot: process.getuid?.() === 0,
  });
}

function fileLogger(file: string, redact: Redact): Logger {
  const fd = openSync(file, "a", 0o600);
  process.once("exit", () => closeSync(fd));
  return createLogger({
    level: "info",
    redact,
    destination: { write: (line) => void writeSync(fd, line) },
  });
}

const shown: ReadonlyMap<string, string> = new Map([
  ["database", "database"],
  ["signer", "key"],
  ["sandbox", "sandbox"],
]);

function showParts({ waits, terminal, daemon }: DemoScene): void {
  for (const { part, ms, detail } of waits.parts()) {
    const name = shown.get(part);
    if (name !== undefined && detail !== "") terminal.print(`${name.padEnd(11)}${detail}  ${(ms / 1000).toFixed(1)} s`);
  }
  const { level, facts } = daemon.plant.hosts;
  if (level !== "process" && level !== "none") return;
  terminal.print(`WARNING    level ${level} stops accidents only, not hostile code: ${facts.reason ?? ""}`);
  if (facts.fix !== null) terminal.print(`           this gives level confined: ${facts.fix}`);
}

function showDoors({ daemon, layout, terminal }: DemoScene): void {
  const pulse = "tenants/borealis/dags/pulse.yaml";
  const here = shellWord(path.relative(process.cwd(), layout.dataDir));
  // What is printed is copied: away from ./.orrery the commands must name where the daemon is.
  const place = here === ".orrery" ? "" : ` --data ${here}`;
  const lines = [
    `address    ${daemon.url}   metrics ${daemon.metricsUrl}/metrics   log ${path.relative(process.cwd(), layout.log)}`,
    `try 1      break a spec, see it held:  (cd ${here}/work && sed -i 's/needs: source/needs: sorce/' ${pulse} && git commit -qam "Break pulse" && git push -q) && npx orrery describe borealis/pulse${place}`,
    `try 2      forge a record, see it named:  npx orrery demo tamper${place}`,
    `try 3      verify with a shell script that shares no code with us:  docs/verify-audit.sh ${here}/specs.git ${here}/audit_signers`,
    "Ctrl-C stops everything; the next start goes on from here.",
  ];
  for (const line of lines) terminal.print(line);
}
