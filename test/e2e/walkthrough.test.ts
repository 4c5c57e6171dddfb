import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtCli } from "../support/built-cli.ts";
import { isConfinable } from "../support/confinable.ts";
import { missingLine, type WalkStep, walkSteps } from "../support/console-blocks.ts";
import { testFolder } from "../support/spec-repository.ts";
import { WalkShell } from "../support/walk-shell.ts";

/** In the order in which a site meets them: each goes on in the shell that the one before leaves. */
const pages = ["docs/operator.md", "docs/developer.md", "docs/auditor.md", "docs/offline-site.md"];
const steps = pages.flatMap((page) => walkSteps(page, readFileSync(page, "utf8")));

let home: string;
let shell: WalkShell;
let failed: string | null = null;

beforeAll(async () => {
  home = testFolder();
  const bin = join(home, "bin");
  mkdirSync(bin);
  const script = `#!/bin/sh\nexec '${process.execPath}' '${await builtCli()}' "$@"\n`;
  writeFileSync(join(bin, "orrery"), script, { mode: 0o755 });
  shell = new WalkShell(home, {
    PATH: `${bin}:${process.env["PATH"] ?? ""}`,
    HOME: home,
    GIT_CONFIG_NOSYSTEM: "1",
    // Other daemons of this machine may hold the usual ports.
    ORRERY_HTTP_LISTEN: "127.0.0.1:0",
    ORRERY_METRICS_LISTEN: "127.0.0.1:0",
  });
});

afterAll(async () => {
  await shell[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

/** A machine without namespaces shows the rest of the walk at the weaker level. */
function allowWeakLevel(): void {
  const weak = isConfinable();
  if (weak === null) return;
  const text = `sandbox: { allowWeak: { level: process, reason: ${JSON.stringify(weak)} } }\n`;
  appendFileSync(join(home, "data", "config.yaml"), text);
}

async function walk(step: WalkStep): Promise<void> {
  if (step.kind === "file") {
    const file = join(home, "work", step.path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, step.text);
    return;
  }
  const { exit, said } = await shell.run(step.text);
  const missing = missingLine(step.output, said);
  if (exit !== step.exit || missing !== null) {
    const why = missing === null ? `exit ${String(exit)}, not ${String(step.exit)}` : `no line "${missing}"`;
    throw new Error(`${step.at}: $ ${step.text}\n${why}\n${said}`);
  }
  if (step.text.startsWith("orrery init ")) allowWeakLevel();
}

/** What a developer and an operator can do with a repository, its plans and its trust: each is shown once at least. */
const shown = [
  ...["init ", "up ", "doctor", "new tenant ", "new dag ", "lint", "lint --fix", "fmt", "fmt --check", "explain "],
  ...["hook install", "plan", "simulate ", "schedule next ", "where plugin:", "where endpoint:", "grants --diff "],
  ...["grants acme", "trust show", "approve HEAD", "approve list", "accept-history ", "secret set ", "secret list "],
  ...["run --local ", "run acme/", "plugin init ", "plugin test ", "plugin build ", "get dags -t acme --at "],
  ...["get dag ", "get runs ", "get events ", "describe ", "logs ", "cancel ", "suspend ", "resume ", "wait "],
];

describe("what the pages for operators, developers, auditors and offline sites tell to type", () => {
  it("is there", () => {
    expect(steps.filter(({ kind }) => kind === "command").length).toBeGreaterThan(100);
    for (const page of pages) expect(steps.some(({ at }) => at.startsWith(page))).toBe(true);
  });

  it.each(shown)("shows orrery %s", (words) => {
    const typed = steps.flatMap((step) => (step.kind === "command" ? [step.text] : []));

    expect(typed.some((text) => text.includes(`orrery ${words}`))).toBe(true);
  });

  it("shows each way in which `wait` ends", () => {
    const waits = steps.flatMap((step) =>
      step.kind === "command" && step.text.includes("orrery wait ") ? [step] : [],
    );

    expect([...new Set(waits.map(({ exit }) => exit))].sort()).toEqual([0, 1, 4, 5]);
  });

  it.each(steps.map((step) => [step.at, step.kind === "file" ? step.path : step.text, step] as const))(
    "works as shown: %s  %s",
    async (at, _text, step) => {
      // What follows a step that went wrong says nothing about itself.
      if (failed !== null) throw new Error(`not walked: ${failed} failed`);
      failed = at;

      await walk(step);

      failed = null;
    },
  );
});
