import { createHash } from "node:crypto";
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import type { SandboxHost } from "./sandbox-host.ts";
import type { CanaryProbe, StepPorts, StepRequest, StepResult } from "./step-request.ts";

export interface CanaryParts {
  readonly appDir: string;
  /** A directory of the daemon's, for the file that no step may read. */
  readonly stateDir: string;
  readonly socketDir: string;
  readonly level: "confined" | "process";
  readonly hasProc: boolean;
  /** Hosts run as root, for want of users of their own. */
  readonly isRoot: boolean;
}

/** Runs the canary plugin in a blank host and adds what only the outside sees. */
export async function runCanary(host: SandboxHost, parts: CanaryParts): Promise<readonly CanaryProbe[]> {
  const secretPath = join(parts.stateDir, "canary");
  await writeFile(secretPath, "a secret of the daemon");
  await chmod(secretPath, 0o644);
  const server = await listenOnLoopback();
  try {
    const request = await canaryRequest(parts, secretPath, portOf(server));
    const outside = await outsideProbes(host.pid, parts);
    const refused = await host.bind(request);
    const end = refused ?? (await host.run(request, noPorts, AbortSignal.timeout(20_000))).result;
    if (end.kind === "failed")
      return [{ name: "run the canary", stopped: false, detail: `${end.code}: ${end.message}` }];
    const { probes } = JSON.parse(end.text) as { readonly probes: readonly CanaryProbe[] };
    return [...probes, ...outside];
  } finally {
    server.close();
    await rm(secretPath, { force: true });
  }
}

/** A step that does nothing, in a blank host. */
export async function runIdle(host: SandboxHost): Promise<StepResult> {
  const request = probeRequest(Buffer.from("var plugin = { default: { run: () => ({}) } };"), "realm", "{}");
  return (await host.bind(request)) ?? (await host.run(request, noPorts, AbortSignal.timeout(20_000))).result;
}

async function canaryRequest(parts: CanaryParts, secretPath: string, port: number): Promise<StepRequest> {
  const bytes = await readFile(join(parts.appDir, "canary.js"));
  const forbiddenDirs = ["/", "/app/host", parts.stateDir, parts.socketDir];
  return probeRequest(bytes, "host", JSON.stringify({ forbiddenDirs, port, secretPath }));
}

function probeRequest(bytes: Uint8Array, isolation: "realm" | "host", withText: string): StepRequest {
  const zeros = "0".repeat(64);
  return {
    tenant: "canary",
    dagId: "canary",
    runId: "canary",
    stepId: "canary",
    index: 0,
    attempt: 1,
    idempotencyKey: zeros,
    traceparent: "",
    now: "1970-01-01T00:00:00.000Z",
    seed: zeros,
    plugin: {
      name: "core.canary",
      version: "1.0.0",
      sha256: createHash("sha256").update(bytes).digest("hex"),
      bytes,
      isolation,
      nondeterministic: true,
      builtins: isolation === "host" ? ["child_process", "dns", "fs", "net"] : [],
    },
    code: null,
    withText,
    files: [],
    readable: [],
    network: [],
    secrets: {},
    limits: {
      memoryBytes: 128 * 1024 * 1024,
      cpuTimeMs: 20_000,
      scratchBytes: 16 * 1024 * 1024,
      timeoutMs: 15_000,
      outputBytes: 65_536,
    },
  };
}

/** What /proc says of the host from here: it cannot lie about these. Without a /proc nothing is known to be stopped. */
async function outsideProbes(pid: number, { level, hasProc, isRoot }: CanaryParts): Promise<CanaryProbe[]> {
  if (!hasProc)
    return [
      { name: "gain privileges", stopped: false, detail: "unknown: no /proc" },
      { name: "run as root", stopped: !isRoot, detail: "by the user that it was started as" },
    ];
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "";
  const uidMap = (await readFile(`/proc/${pid}/uid_map`, "utf8").catch(() => "")).trim().split(/\s+/);
  const probes: CanaryProbe[] = [
    { name: "gain privileges", stopped: field("NoNewPrivs") === "1", detail: `NoNewPrivs ${field("NoNewPrivs")}` },
    { name: "run as root", stopped: !field("Uid").split(/\s+/).includes("0"), detail: `uid ${field("Uid")}` },
  ];
  if (level === "process") return probes;
  return [
    ...probes,
    { name: "call what the filter refuses", stopped: field("Seccomp") === "2", detail: `Seccomp ${field("Seccomp")}` },
    { name: "hold capabilities", stopped: /^0+$/.test(field("CapBnd")), detail: `CapBnd ${field("CapBnd")}` },
    { name: "be root by its user map", stopped: uidMap[1] !== "0", detail: `uid_map ${uidMap.join(" ")}` },
  ];
}

function listenOnLoopback(): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const nothing: AsyncIterable<Uint8Array> = (async function* () {
  // The canary reads no files.
})();

const noPorts: StepPorts = {
  readFile: () => nothing,
  readArtifact: () => nothing,
  writeArtifact: () => Promise.reject(new Error("the canary writes nothing")),
  log: () => undefined,
  decideEgress: () => "deny",
  egress: () => undefined,
};
