import { expect, it } from "vitest";
import { createLocalQueue, type LocalQueue } from "../../../src/cli/local/local-queue.ts";
import { claimedRun, type LocalRequest } from "../../../src/cli/local/local-request.ts";
import type { AttemptOutcome, ClaimedRun, Settlement } from "../../../src/store/index.ts";
import { outcomeOf, settlementOf } from "../../support/store-fixtures.ts";
import { allGranted, quota } from "../worker/worker-fixture.ts";

const request: LocalRequest = {
  ...{ tenant: "acme", dagId: "hello", specHash: "a".repeat(64), specText: "{}", inputs: {}, rationale: [] },
  snapshot: { revision: "0".repeat(40), quota, allowlist: allGranted, plugins: {}, files: [], secrets: [] },
  content: () => null,
  trigger: { kind: "manual", key: "one", schedule: null, slot: null },
  now: "2026-11-24T00:00:00.000Z",
};

interface Opened {
  readonly queue: LocalQueue;
  readonly seam: ReturnType<LocalQueue["createSeam"]>;
  readonly run: ClaimedRun;
  readonly ended: AttemptOutcome[];
  readonly settled: Settlement[];
}

function open(): Opened {
  const [ended, settled]: [AttemptOutcome[], Settlement[]] = [[], []];
  const run = claimedRun(request, new Date("2026-11-24T00:00:01.000Z"));
  const queue = createLocalQueue(run, {
    attemptEnded: (outcome) => Promise.resolve(void ended.push(outcome)),
    settled: (settlement) => void settled.push(settlement),
  });
  return { queue, seam: queue.createSeam({ workerId: "local", epoch: 1 }), run, ended, settled };
}

it("gives its one run out once, with the context that was asked for", async () => {
  const { seam } = open();

  const [first, second] = [await seam.claim(2), await seam.claim(2)];

  expect(first.map(({ context }) => context.now)).toEqual(["2026-11-24T00:00:00.000Z"]);
  expect(second).toEqual([]);
});

it("keeps an outcome once, and takes none of another run or of another claim", async () => {
  const { seam, run, ended } = open();
  await seam.claim(1);
  const outcome = outcomeOf(run, "hello");

  const verdicts = [
    await seam.report([outcome]),
    await seam.report([outcome]),
    await seam.report([{ ...outcome, runId: "another", attempt: 2 }]),
    await seam.report([{ ...outcome, fence: 2, attempt: 2 }]),
  ].flat();

  expect(verdicts).toEqual(["stored", "duplicate", "fenced", "fenced"]);
  expect(ended).toEqual([outcome]);
});

it("tells of a cancel at each beat until the run has ended", async () => {
  const { queue, seam, run, settled } = open();
  await seam.claim(1);
  const request = { tenant: run.tenant, runId: run.runId, actor: run.actor, rationale: "interrupted" };
  queue.cancel(request);

  const before = await seam.heartbeat();
  const verdicts = [await seam.settle([settlementOf(run)]), await seam.settle([settlementOf(run)])].flat();
  const after = await seam.heartbeat();

  expect(before.cancelled).toEqual([request]);
  expect(verdicts).toEqual(["stored", "duplicate"]);
  expect(settled).toHaveLength(1);
  expect(after.cancelled).toEqual([]);
});

it("a run that is given back may be claimed again", async () => {
  const { seam, run } = open();
  await seam.claim(1);

  await seam.release([run]);

  expect(await seam.claim(1)).toHaveLength(1);
});
