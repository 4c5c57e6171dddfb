import { type CodeName, codes, Fault, utcText } from "../../base/index.ts";
import type { AttemptRef } from "../../dag/index.ts";
import type { AttemptOutcome } from "../../store/index.ts";
import { lastingCall } from "../plant/lasting-call.ts";
import type { RunLedger } from "../run/run-ledger.ts";
import type { WorkerRoom } from "../worker-room.ts";
import type { AttemptVerdict } from "./host-run.ts";
import type { StepInput } from "./step-input.ts";
import type { AttemptTraces } from "./step-ports.ts";

export interface AttemptFacts {
  readonly at: AttemptRef;
  readonly startedUtc: string;
  readonly input: StepInput;
  /** null where nothing ran here. */
  readonly traces: AttemptTraces | null;
}

/** Stored for good, or somebody else's: `fenced` = the run is no longer ours. */
export type StoredEnding = { readonly kind: "stored"; readonly outcome: AttemptOutcome } | { readonly kind: "fenced" };

/** Makes the outcome of an attempt and stores it: logs first, for the row names them. Resolves when it is durable. */
export async function storeVerdict(
  room: WorkerRoom,
  ledger: RunLedger,
  { facts, verdict }: { readonly facts: AttemptFacts; readonly verdict: AttemptVerdict },
  signal: AbortSignal,
): Promise<StoredEnding> {
  const logsHash = await closeLog(room, ledger, facts, verdict);
  const outcome = outcomeOf(room, ledger, facts, { verdict, logsHash });
  const ending = await report(room, outcome, signal);
  if (ending !== "unfit") return ending;
  const { tenant, dagId, runId } = ledger.run;
  room.deps.log.warn(
    { tenant, dagId, runId, stepId: outcome.stepId },
    "the store cannot keep an outcome, it is failed",
  );
  const bare = await report(room, bareOutcome(outcome), signal);
  if (bare === "unfit") throw new Fault("INTERNAL", "the store refuses an outcome without values");
  return bare;
}

async function report(room: WorkerRoom, outcome: AttemptOutcome, signal: AbortSignal): Promise<StoredEnding | "unfit"> {
  const call = async (): Promise<StoredEnding | "unfit"> => {
    const [verdict] = await room.seam.report([outcome]);
    if (verdict === "unfit") return "unfit";
    return verdict === "fenced" ? { kind: "fenced" } : { kind: "stored", outcome };
  };
  return await lastingCall(room.deps, "report", call, signal);
}

async function closeLog(
  room: WorkerRoom,
  ledger: RunLedger,
  { at, traces }: AttemptFacts,
  verdict: AttemptVerdict,
): Promise<string | null> {
  if (traces === null) return null;
  if (verdict.status !== "succeeded") {
    const line = { level: "error", message: verdict.detail ?? messageOf(verdict.code), code: verdict.code };
    traces.log.append(line);
  }
  try {
    return (await traces.log.close())?.hash ?? null;
  } catch (error) {
    // A full disk must not undo what the step has done.
    const { tenant, dagId, runId } = ledger.run;
    room.deps.log.error({ tenant, dagId, runId, stepId: at.stepId, error }, "the log of an attempt was not stored");
    return null;
  }
}

function outcomeOf(
  room: WorkerRoom,
  ledger: RunLedger,
  { at, startedUtc, input, traces }: AttemptFacts,
  { verdict, logsHash }: { readonly verdict: AttemptVerdict; readonly logsHash: string | null },
): AttemptOutcome {
  const { tenant, runId, fence } = ledger.run;
  return {
    tenant,
    runId,
    fence,
    stepId: at.stepId,
    index: at.index,
    attempt: at.attempt,
    ...verdictMembers(verdict),
    startedUtc,
    endedUtc: utcText(room.deps.clock.now()),
    stepHash: input.stepHash,
    stepKey: input.stepKey,
    inputsHash: input.inputsHash,
    egress: traces?.egress.summary() ?? [],
    logsHash,
    artifacts: traces?.artifacts() ?? [],
    ...(verdict.cpuMs === undefined ? {} : { cpuMs: verdict.cpuMs }),
  };
}

type VerdictMembers = Pick<AttemptOutcome, "status" | "class" | "code" | "message" | "outputsHash" | "outputText">;

function verdictMembers(verdict: AttemptVerdict): VerdictMembers {
  if (verdict.status === "succeeded") {
    const { status, text, hash } = verdict;
    return { status, class: null, code: null, message: null, outputsHash: hash, outputText: text };
  }
  const { status, class: errorClass, code } = verdict;
  return { status, class: errorClass, code, message: messageOf(code), outputsHash: null, outputText: null };
}

const bareOutcome = (outcome: AttemptOutcome): AttemptOutcome => ({
  ...outcome,
  status: "failed",
  class: "permanent",
  code: "ERR_OUTPUT_NOT_IJSON",
  message: messageOf("ERR_OUTPUT_NOT_IJSON"),
  outputsHash: null,
  outputText: null,
  egress: [],
  artifacts: [],
});

/** From the table alone: what a plugin or a host says may hold values of the run, and goes to the log. */
const messageOf = (code: CodeName): string => `${codes[code].title}. ${codes[code].cause}`;
