import type { ClaimedRun, Settlement, Verdict } from "../../store/index.ts";
import { lastingCall } from "../plant/lasting-call.ts";
import type { WorkerRoom } from "../worker-room.ts";

/** `stuck`: the store refuses even the bare record. The run stays claimed, or it would be tried again for ever. */
export type SettleAnswer = "settled" | "fenced" | "stuck";

/** Settles a run; where the store cannot keep its record, with the bare one. Resolves when it is durable. */
export async function storeSettlement(
  room: WorkerRoom,
  claimed: ClaimedRun,
  { full, bare }: { readonly full: Settlement; readonly bare: () => Settlement },
  signal: AbortSignal,
): Promise<SettleAnswer> {
  const { tenant, dagId, runId } = claimed;
  const first = await settle(room, full, signal);
  if (first !== "unfit") return answerOf(room, full, claimed, first);
  room.deps.log.error(
    { tenant, dagId, runId },
    "the store cannot keep the record of a run, it is settled without steps",
  );
  const settlement = bare();
  const second = await settle(room, settlement, signal);
  if (second !== "unfit") return answerOf(room, settlement, claimed, second);
  room.deps.log.error({ tenant, dagId, runId }, "a run cannot be settled, it stays claimed");
  return "stuck";
}

async function settle(room: WorkerRoom, settlement: Settlement, signal: AbortSignal): Promise<Verdict> {
  const call = async (): Promise<Verdict> => {
    const [verdict] = await room.seam.settle([settlement]);
    return verdict ?? "fenced";
  };
  return await lastingCall(room.deps, "settle", call, signal);
}

function answerOf(
  room: WorkerRoom,
  { status, endedUtc }: Settlement,
  { tenant, dagId, runId, startedUtc }: ClaimedRun,
  verdict: Exclude<Verdict, "unfit">,
): SettleAnswer {
  if (verdict === "fenced") return "fenced";
  const durationMs = Math.max(0, Date.parse(endedUtc) - Date.parse(startedUtc));
  room.deps.log.info({ tenant, dagId, runId, status, durationMs }, "run settled");
  room.deps.emit({ kind: "run_settled", tenant, dagId, runId, status, durationMs });
  return "settled";
}
