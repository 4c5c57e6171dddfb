import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { faultOf, systemClock } from "../../base/index.ts";
import { type CanaryProbe, probeLevel, type SandboxFacts } from "../../sandbox/index.ts";
import { fail, fine, type HealthCheck, warn } from "./health-check.ts";

/** The level that this machine gives, tried as the daemon would, and each probe of the canary. */
export async function sandboxChecks(uidsBase: number, weakest: string): Promise<readonly HealthCheck[]> {
  // Short, for sockets; as root the users of the hosts must pass.
  const dir = mkdtempSync("/tmp/orrery-d-");
  try {
    chmodSync(dir, 0o711);
    const stateDir = path.join(dir, "state");
    mkdirSync(stateDir, { mode: 0o711 });
    const facts = await probeLevel(
      { clock: systemClock, random: (count) => randomBytes(count) },
      { socketDir: dir, stateDir, uidsBase: uidsBase + 1 },
    );
    return [levelCheck(facts, weakest), ...facts.probes.map((probe) => probeCheck(probe, facts.level))];
  } catch (error) {
    return [fail("sandbox", faultOf(error).message, "npm run build, then try again")];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const strength: Readonly<Record<string, number>> = { none: 0, process: 1, confined: 2, sealed: 3 };

export function levelCheck({ level, probes, reason, fix, unheld }: SandboxFacts, weakest: string): HealthCheck {
  const stopped = probes.filter((probe) => probe.stopped).length;
  const why = reason === null ? "" : `; ${reason}`;
  const loose = unheld.length === 0 ? "" : `; not limited: ${unheld.join(", ")}`;
  const detail = `level ${level}, ${stopped} of ${probes.length} canary probes stopped${why}${loose}`;
  const isEnough = (strength[level] ?? 0) >= (strength[weakest] ?? 0);
  return isEnough ? fine("sandbox", detail) : fail("sandbox", `${detail}; ${weakest} is wanted, nothing runs`, fix);
}

function probeCheck({ name, stopped, detail }: CanaryProbe, level: string): HealthCheck {
  const what = `canary, ${name}`;
  if (stopped) return fine(what, detail === "" ? "stopped" : `stopped: ${detail}`);
  const got = `NOT stopped: ${detail}`;
  return level === "confined" ? fail(what, got, null) : warn(what, got, null);
}
