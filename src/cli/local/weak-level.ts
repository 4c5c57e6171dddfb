import { Fault } from "../../base/index.ts";
import { readEnvironment } from "../../config/index.ts";
import type { SandboxFacts } from "../../sandbox/index.ts";
import { usage } from "../terminal.ts";

const variable = "ORRERY_ALLOW_WEAK";

/**
 * Whether the person at this machine takes level `process`: by the flag, or once for all by ORRERY_ALLOW_WEAK=process. No
 * platform consents by itself. A daemon asks its configuration alone (sandbox.allowWeak). Fault USAGE for another word.
 */
export function allowsWeak(flag: boolean, settings = readEnvironment().settings): boolean {
  const named = settings[variable];
  if (named === undefined || named === "") return flag;
  if (named !== "process") throw usage(`${variable}=${named}: the one level that it can name is process`);
  return true;
}

/** Why nothing runs, and what would help. */
export function tooWeak({ level, reason, fix }: SandboxFacts): Fault {
  const gives = fix === null ? "" : `; this gives level confined: ${fix}`;
  const consent =
    level === "process"
      ? `; --allow-weak, or ${variable}=process, runs it all the same: that stops accidents, not a step that means harm`
      : "";
  return new Fault("LEVEL_TOO_WEAK", `sandbox level ${level}: ${reason ?? "no reason given"}${gives}${consent}`);
}

/** What a run at level `process` must not be quiet about; none at a higher level. */
export function weakLevelLines({ level, reason, probes, unheld }: SandboxFacts): readonly string[] {
  if (level !== "process") return [];
  const could = probes.filter(({ stopped }) => !stopped).map(({ name, detail }) => `${name} (${detail})`);
  return [
    `WARNING  sandbox level process: ${reason ?? "configured"}`,
    "WARNING  it is a process and Node's permission model, no wall: it stops accidents, not a step that means harm",
    ...(could.length === 0 ? [] : [`WARNING  not stopped here: ${could.join(", ")}`]),
    ...(unheld.length === 0 ? [] : [`WARNING  not limited here: ${unheld.join(", ")}`]),
  ];
}
