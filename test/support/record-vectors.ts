import { controlBody } from "../../src/record/index.ts";
import {
  AuditBranch,
  testDenialBody,
  testGenesisBody,
  testReconcileBody,
  testRunBody,
  testRuntime,
} from "./audit-fixtures.ts";

/** One record of every kind in one batch, signed with the test key of seed 01…01. */
export function goldenBranch(): AuditBranch {
  const branch = new AuditBranch();
  const { bodyText } = controlBody({
    site: "hq",
    tenant: "acme",
    actor: { kind: "user", subject: "oya@hq.example", key: null },
    rationale: [{ source: "trigger", text: "runaway import" }],
    traceId: null,
    runtime: testRuntime,
    uuid: "01890000-0000-4000-8000-000000000000",
    verb: "suspend",
    target: "dag/hello",
    ticket: "OPS-1",
    expiresUtc: "2026-11-25T00:00:00.000Z",
  });
  branch.append(
    [
      testGenesisBody(),
      testReconcileBody(),
      testRunBody({ n: 1 }),
      testDenialBody("hq", "acme", 7),
      { tenant: "acme", bodyText, count: null },
    ],
    [
      {
        tenant: "acme",
        dagId: "hello",
        schedule: "default",
        reason: "overlap",
        from: "2026-11-24T03:30:15.000Z",
        to: "2026-11-24T03:30:45.000Z",
        count: 3,
      },
    ],
  );
  return branch;
}

export const goldenLines = (): readonly string[] =>
  goldenBranch().batches.flatMap(({ records }) => records.map(({ line }) => line));
