import { describe, expect, it } from "vitest";
import type { DaemonClient } from "../../../src/cli/daemon-client.ts";
import { type RunDetail, renderRun, waitForRun } from "../../../src/cli/run/run-view.ts";

const base: RunDetail = {
  ...{ tenant: "acme", runId: "019b0000-0000-7000-8000-00000000000a", runNo: 1, dagId: "hello" },
  ...{ state: "queued", wait: null, class: null, code: null },
  ...{ specHash: "1".repeat(64), commit: "2".repeat(40), policyRevision: "2".repeat(40) },
  trigger: { kind: "manual", key: "k", schedule: null, slot: null },
  actor: { kind: "user", subject: "ana", key: null },
  ...{ queuedUtc: "2026-11-24T00:00:00.000Z", startedUtc: null, endedUtc: null },
  ...{ inputsHash: "3".repeat(64), outputsHash: null, runToken: "4".repeat(64) },
  context: { now: "2026-11-24T00:00:00.000Z", seed: "5".repeat(64) },
  ...{ attempts: [], record: null },
};
const waiting = (reason: NonNullable<RunDetail["wait"]>["reason"], message: string): RunDetail => ({
  ...base,
  wait: { reason, message },
});
const ended: RunDetail = { ...base, state: "succeeded", endedUtc: "2026-11-24T00:00:01.000Z" };

async function notesOf(views: readonly RunDetail[], timeoutSeconds = 60): Promise<readonly string[]> {
  const notes: string[] = [];
  const left = [...views];
  const client: DaemonClient = {
    get: () => Promise.resolve(left.length > 1 ? left.shift() : left[0]),
    post: () => Promise.reject(new Error("nothing is sent")),
    text: () => Promise.reject(new Error("nothing is asked")),
  };
  const terminal = { print: () => undefined, note: (line: string) => void notes.push(line), isTty: false };
  await waitForRun(client, base.runId, { terminal, output: "text", timeoutSeconds });
  return notes;
}

describe("orrery run, while its run is queued", () => {
  it("says once what it waits for, and says it again only for another reason", async () => {
    const dag = waiting("dag_concurrency", "1 run of this DAG at once, concurrency.max is 1");

    const notes = await notesOf([dag, dag, dag, waiting("worker", "ready"), waiting("worker", "ready"), ended]);

    expect(notes).toEqual([
      "queued: dag_concurrency: 1 run of this DAG at once, concurrency.max is 1",
      "queued: worker: ready",
    ]);
  });

  it("does not speak of the moment that every run waits", async () => {
    expect(await notesOf([waiting("worker", "ready"), base, ended])).toEqual([]);
  });

  it("names the reason where the time is up", async () => {
    const notes = await notesOf([waiting("start_rate", "2 runs started")], -1);

    expect(notes).toEqual([`run ${base.runId} is still queued: 2 runs started`]);
  });
});

describe("describe of a run", () => {
  it("has the wait above all else, and no such line of a run that runs", () => {
    const lines = renderRun(waiting("worker", "ready\u001b[2J")).split("\n");

    expect(lines[1]).toBe("waits for  worker: ready\\u{1b}[2J");
    expect(renderRun(ended)).not.toContain("\nwaits for");
  });
});
