import type { AttemptLog } from "../../artifact/index.ts";
import { Fault, type JsonObject, parseCanonical } from "../../base/index.ts";
import type { AttemptRef } from "../../dag/index.ts";
import type { StepLogLine, StepPorts } from "../../sandbox/index.ts";
import { createSecretGuard, type SecretValues } from "../../secret/index.ts";
import type { ArtifactRef } from "../../store/index.ts";
import type { RunLedger } from "../run/run-ledger.ts";
import type { WorkerRoom } from "../worker-room.ts";
import { createEgressTally, type EgressTally } from "./egress-tally.ts";
import { decideEgress } from "./step-grants.ts";
import type { StepInput } from "./step-input.ts";

/** What an attempt left besides its output. */
export interface AttemptTraces {
  readonly log: AttemptLog;
  readonly egress: EgressTally;
  /** By hash, each once: the order of writing is chance. */
  artifacts(): readonly ArtifactRef[];
}

const sliceBytes = 256 * 1024;
/** References of one attempt: each stands in the record. */
const maxArtifacts = 1000;

export interface PortInput {
  readonly input: StepInput;
  readonly secrets: SecretValues;
  readonly signal: AbortSignal;
}

/** The ports of one attempt: what it declared and was granted, of its own tenant, and nothing else. */
export function openPorts(
  room: WorkerRoom,
  ledger: RunLedger,
  { stepId }: AttemptRef,
  { input, secrets, signal }: PortInput,
): { readonly ports: StepPorts; readonly traces: AttemptTraces } {
  const { tenant } = ledger.run;
  const { artifacts } = room.deps;
  const log = artifacts.openLog(tenant, room.options.logBytes, createSecretGuard(secrets).redact);
  const egress = createEgressTally();
  const written = new Map<string, ArtifactRef>();
  const ports: StepPorts = {
    readFile: (path) => readFile(room, { tenant, path, input, signal }),
    readArtifact: (sha256) => {
      if (!input.readable.includes(sha256)) throw new Fault("ARTIFACT_MISSING", "no reference to it stands in with");
      return artifacts.read(tenant, sha256);
    },
    writeArtifact: async (bytes, mediaType) => {
      if (written.size >= maxArtifacts) throw new Fault("ARTIFACT_TOO_LARGE", `more than ${maxArtifacts} artifacts`);
      const ref = await artifacts.write(tenant, bytes, mediaType, room.options.artifactBytes);
      written.set(`${ref.artifact} ${ref.mediaType}`, ref);
      return ref;
    },
    log: (line) => log.append(logObject(line)),
    decideEgress: (host, port) => decideEgress(ledger.step(stepId), room.grants.held(tenant), { host, port }),
    egress: (event) => egress.add(event),
  };
  const sorted = (): readonly ArtifactRef[] => [...written].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, ref]) => ref);
  return { ports, traces: { log, egress, artifacts: sorted } };
}

interface FileRead {
  readonly tenant: string;
  readonly path: string;
  readonly input: StepInput;
  readonly signal: AbortSignal;
}

async function* readFile(room: WorkerRoom, { tenant, path, input, signal }: FileRead): AsyncGenerator<Uint8Array> {
  const file = input.files.find((declared) => declared.path === path);
  if (file === undefined) throw new Fault("SANDBOX_DENIED", "the step did not declare this file");
  const bytes = await room.blobs.read(tenant, file.sha256, signal);
  for (let at = 0; at < bytes.length; at += sliceBytes) yield bytes.subarray(at, at + sliceBytes);
}

function logObject({ level, message, fields }: StepLogLine): JsonObject {
  const parsed = parseCanonical(fields)?.value ?? {};
  return Object.keys(parsed).length === 0 ? { level, message } : { level, message, fields: parsed };
}
