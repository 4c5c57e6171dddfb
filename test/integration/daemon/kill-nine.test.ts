import { existsSync, readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refuseHeldDirectory } from "../../../src/daemon/index.ts";
import { openRepository } from "../../../src/git/index.ts";
import { auditHistory, auditSignersText, verifyAudit } from "../../../src/record/index.ts";
import { auditRef } from "../../../src/recorder/index.ts";
import { nodeTrustCrypto } from "../../../src/signer/index.ts";
import { recordCheck } from "../../support/audit-fixtures.ts";
import { descendantsOf } from "../../support/daemon-process.ts";
import { isLeftover } from "../../support/daemon-world.ts";
import { rounds, soakTimeout } from "../../support/effort.ts";
import { stockGit } from "../../support/git-fixtures.ts";
import {
  DaemonChild,
  type DaemonPlace,
  daemonSite,
  makeDaemonPlace,
  processesNaming,
} from "../../support/killed-daemon.ts";
import { dagPath, dagText, logStep, tenantFiles } from "../../support/spec-commits.ts";
import { until } from "../../support/until.ts";

const steps = { one: logStep(), two: logStep("2", { needs: "one" }), three: logStep("3", { needs: "two" }) };

let place: DaemonPlace;
beforeAll(async () => {
  place = await makeDaemonPlace({ ...tenantFiles("acme"), [dagPath("acme", "line")]: dagText({ steps }) });
});
afterAll(() => place[Symbol.dispose]());

/** One kill: where the daemon stands when it comes. */
interface Kill {
  readonly name: string;
  /** Trap inside of the child. */
  readonly trap?: string;
  /** Table that another session locks: the daemon's statement that writes it waits, and dies waiting. */
  readonly locked?: string;
  /** Event after which it dies. */
  readonly event?: (line: Readonly<Record<string, unknown>>) => boolean;
}

const usualKills: readonly Kill[] = [
  { name: "a run has been claimed", event: ({ kind }) => kind === "run_started" },
  { name: "its first step has ended", event: ({ kind, stepId }) => kind === "step_ended" && stepId === "one" },
  { name: "its last step has ended", event: ({ kind, stepId }) => kind === "step_ended" && stepId === "three" },
  { name: "an admission is in flight", locked: "run_key" },
  { name: "a group commit of outcomes is in flight", locked: "attempt" },
  { name: "the settling commit is in flight", locked: "run" },
  { name: "a record body waits", event: ({ kind }) => kind === "run_settled" },
  { name: "the signed batch is being stored", locked: "batch" },
  { name: "an object of the audit commit is half written", trap: "object_temporary" },
  { name: "the lock of the audit branch exists", trap: "ref_lock" },
  { name: "the audit branch has moved and nobody knows it yet", trap: "ref_moved" },
  { name: "the sealing commit is in flight", locked: "record" },
];

const kills = Array.from({ length: rounds(1, 25) }, () => usualKills).flat();

async function startRun(daemon: DaemonChild, key: string): Promise<Response> {
  return fetch(`${daemon.url}/api/v1/orchestrator/dags/line/runs`, {
    method: "POST",
    headers: {
      ...{ authorization: `Bearer ${await place.token("acme")}`, "x-stella-tenant": "acme" },
      ...{ "content-type": "application/json", "idempotency-key": key },
    },
    body: "{}",
  });
}

/** Starts a run and kills the daemon at the named place. */
async function killAt(daemon: DaemonChild, kill: Kill, key: string): Promise<void> {
  if (kill.locked === undefined) {
    daemon.arm();
    // What it told of the run before does not count.
    const before = new Set(daemon.lines);
    const started = startRun(daemon, key).catch(() => undefined);
    await daemon.line((line) => !before.has(line) && (kill.event?.(line) ?? line.kind === "point"));
    await daemon.end("SIGKILL");
    await started;
    return;
  }
  const table = kill.locked;
  await place
    .withDatabase(async (client) => {
      await client.query(`begin; lock table ${table} in exclusive mode`);
      const started = startRun(daemon, key).catch(() => undefined);
      await until(async () => {
        const { rows } = await client.query("select 1 from pg_stat_activity where wait_event_type = 'Lock'");
        return rows.length > 0;
      });
      await daemon.end("SIGKILL");
      await started;
    })
    // The server ends with its daemon, and this session with it.
    .catch((error: unknown) => {
      if (!(error instanceof Error && /terminat|closed|ECONNRESET/iu.test(error.message))) throw error;
    });
}

/** Every run has ended and its record is sealed. */
async function untilSettled(): Promise<void> {
  await until(async () => {
    const left = await place.withDatabase(async (client) => {
      const { rows } = await client.query<{ n: number }>(
        `select ((select count(*) from run_live) + (select count(*) from outbox)
           + (select count(*) from batch where state <> 'done'))::int as n`,
      );
      return rows[0]?.n;
    });
    return left === 0;
  }, 60_000);
}

describe("kill -9 of the daemon", () => {
  it(
    `at ${String(kills.length)} places leaves each run settled once, one chain, no process and no leftover`,
    async () => {
      let daemon = await DaemonChild.start(place, kills[0]?.trap);
      for (const [n, kill] of kills.entries()) {
        const family = descendantsOf(daemon.pid);
        await killAt(daemon, kill, `run-${String(n)}`);
        // Every other time the next one comes while the database is still there.
        if (n % 2 === 0) await until(() => family.every((pid) => !existsSync(`/proc/${String(pid)}`)));

        daemon = await DaemonChild.start(place, kills[n + 1]?.trap);
        const again = await startRun(daemon, `run-${String(n)}`);
        expect([kill.name, again.status]).toEqual([kill.name, kill.locked === "run_key" ? 201 : 200]);
        await untilSettled();
      }
      const runs = await place.withDatabase(async (client) => {
        const { rows } = await client.query<{ run_no: number; status: string; attempts: number; records: number }>(
          `select r.run_no::int, r.status,
           (select count(*)::int from attempt a where a.run_id = r.run_id) as attempts,
           (select count(*)::int from record c where c.record_id = 'run/' || r.run_id) as records
         from run r order by r.run_no`,
        );
        return rows;
      });
      await daemon.end("SIGTERM");
      expect(runs.map(({ run_no, status, records }) => [run_no, status, records])).toEqual(
        kills.map((_, n) => [n + 1, "succeeded", 1]),
      );
      // What was lost was done again, what was stored was not: never more than one attempt that counts for a step.
      expect(runs.every(({ attempts }) => attempts >= 3)).toBe(true);
      expectChain();
      await until(() => processesNaming(place.config.dataDir).length === 0);
      expect(() => refuseHeldDirectory(place.config.dataDir)).not.toThrow();
    },
    soakTimeout(400_000),
  );
});

function expectChain(): void {
  using repository = openRepository(place.spec.dir);
  const head = repository.readRef(auditRef(daemonSite));
  const report = verifyAudit(
    { ...repository, commits: head === null ? [] : auditHistory(repository, head) },
    {
      ...{ crypto: nodeTrustCrypto, check: recordCheck, site: daemonSite, witness: null },
      signersText: auditSignersText(daemonSite, [{ from: 1, key: place.recorderLine }]),
    },
  );
  expect(report.findings).toEqual([]);
  expect(stockGit(place.spec.dir, ["fsck", "--strict"])).not.toMatch(/error|missing|corrupt/u);
  const names = readdirSync(place.spec.dir, { recursive: true, encoding: "utf8" });
  expect(names.filter(isLeftover)).toEqual([]);
  const store = readdirSync(`${place.config.dataDir}/store`, { recursive: true, encoding: "utf8" });
  expect(store.filter((name) => /staging\/./u.test(name))).toEqual([]);
}
