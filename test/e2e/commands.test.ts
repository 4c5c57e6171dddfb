import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CliResult, jsonOf, orrery } from "../support/built-cli.ts";
import { type DaemonProcess, startDaemonProcess } from "../support/daemon-process.ts";
import {
  auditRef,
  createSpecRepository,
  dagPath,
  dagText,
  makePersonKey,
  type SpecRepository,
  tenantFiles,
  testSite,
} from "../support/spec-repository.ts";
import { until } from "../support/until.ts";

const step = (...lines: readonly string[]): string =>
  dagText("steps:", "  only:", ...lines.map((line) => `    ${line}`));

const dags = {
  hello: dagText(
    "inputs: { whom: { type: string, default: everybody } }",
    "steps: { say: { uses: core.log@1.0.0, with: { message: 'hello ${{ inputs.whom }}' } } }",
  ),
  fails: step("uses: core.js@1.0.0", "code: '() => { throw new Error(`no`); }'"),
  waits: step("uses: core.js@1.0.0", "code: '() => new Promise(() => {})'", "limits: { timeout: 2m }"),
  // `core.*` is granted, notify.post is not even there: what is not granted is applied and not armed.
  asks: step("uses: core.js@1.0.0", 'network: ["203.0.113.7:443"]', "code: '() => ({})'"),
};

let specs: SpecRepository;
let daemon: DaemonProcess;
let commit: string;

beforeAll(async () => {
  specs = await createSpecRepository();
  daemon = await startDaemonProcess(specs.dataDir);
  const files = Object.entries(dags).map(([dagId, text]) => [dagPath("acme", dagId), text]);
  commit = await specs.commit({ ...tenantFiles("acme"), ...(Object.fromEntries(files) as object) }, "Four DAGs");
  await specs.push();
  const applied = await daemon.cli("wait", commit, "-t", "acme", "--timeout", "30");
  if (applied.exit !== 0) throw new Error(applied.stderr);
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  specs[Symbol.dispose]();
});

describe("exit codes", () => {
  const wrong: readonly (readonly string[])[] = [
    [],
    ["nonsense"],
    ["run"],
    ["run", "acme/hello", "--bogus"],
    ["get", "nonsense"],
    ["get", "dags"],
    ["get", "runs", "-t", "acme", "-o", "yaml"],
    ["run", "hello"],
    ["run", "acme/../x"],
    ["run", "acme/hello", "-i", "novalue"],
    ["run", "acme/hello", "--timeout", "soon"],
    ["wait", "HEAD", "-t", "acme", "--timeout", "1"],
    ["wait", "0".repeat(40), "--timeout", "soon"],
    ["logs", "not-a-run", "-t", "acme"],
    ["explain", "NO_SUCH_CODE"],
    ["init"],
    ["audit", "verify"],
  ];

  it.each(wrong.map((args) => ({ line: args.join(" "), args })))("2 for bad usage: orrery $line", async ({ args }) => {
    const withData = ["run", "get", "wait", "logs"].includes(args[0] ?? "");

    const result = withData ? await daemon.cli(...args) : await orrery(args);

    expect(result.exit).toBe(2);
    expect(result.stdout).toBe("");
    expect(result.stderr).not.toBe("");
    expect(result.stderr).not.toMatch(/^ +at /mu);
  });

  it("3 for a start that is refused, with its reason, and the denial stands on record", async () => {
    const result = await daemon.cli("run", "acme/asks", "-m", "Try it.");
    const denial = await specs.recorded((record) => record.kind === "denial" && record.dagId === "asks");

    expect(result.exit).toBe(3);
    expect(result.stderr).toContain("NOT_ALLOWED");
    expect(denial).toMatchObject({ tenant: "acme", code: "NOT_ALLOWED" });
  });

  it("3 for a second daemon on the data directory, with the pid of the first", async () => {
    const args = ["up", "--data", specs.dataDir, "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"];

    const result = await orrery(args);

    expect(result.exit).toBe(3);
    expect(result.stderr).toContain(`pid ${String(daemon.pid)}`);
  });

  it("3 for init on the data directory of another site, and nothing is made", async () => {
    const data = join(specs.root, "second-data");
    const key = makePersonKey(join(specs.root, "second_key"), "ben@acme.example");
    const init = (dir: string, site: string): Promise<CliResult> =>
      orrery(["init", join(specs.root, dir), "--site", site, "--data", data, "--key", key], { cwd: specs.root });

    const [first, second] = [await init("one.git", "one"), await init("two.git", "two")];

    expect([first.exit, second.exit]).toEqual([0, 3]);
    expect(second.stderr).toContain("DATA_DIR_SITE");
    await expect(specs.git("ls-remote", join(specs.root, "two.git"))).rejects.toThrow("two.git");
  });

  it("4 where no daemon runs, for every command that needs one", async () => {
    const none = ["--data", join(specs.root, "nothing"), "-t", "acme"];
    const commands = [
      ["get", "dags"],
      ["run", "hello"],
      ["describe", "hello"],
      ["wait", commit],
    ];

    const results = await Promise.all(commands.map((command) => orrery([...command, ...none])));

    expect(results.map(({ exit }) => exit)).toEqual([4, 4, 4, 4]);
    expect(results.every(({ stderr }) => stderr.includes("DAEMON_UNREACHABLE"))).toBe(true);
  });

  it("4 for a wait that ends too early, 1 for a run that failed", async () => {
    const [late, failed] = await Promise.all([
      daemon.cli("wait", "0".repeat(40), "--timeout", "0"),
      daemon.cli("run", "acme/fails", "-o", "json"),
    ]);

    expect(late.exit).toBe(4);
    expect(late.stderr).toContain(`the site is at ${commit}`);
    expect(failed.exit).toBe(1);
    expect(jsonOf(failed)).toMatchObject({ state: "failed", class: "permanent", code: "STEP_FAILED" });
  });

  it("not found is no crash: a DAG, a run and a tenant that are not there", async () => {
    const run = "01890000-0000-7000-8000-000000000000";
    const commands = [
      ["run", "acme/nobody"],
      ["describe", "acme/nobody"],
      ["get", "run", run, "-t", "acme"],
      ["cancel", run, "-t", "acme"],
      ["logs", run, "-t", "acme"],
      ["run", "stranger/hello"],
    ];

    const results = await Promise.all(commands.map((command) => daemon.cli(...command)));

    expect(results.map(({ exit }) => exit)).toEqual([4, 4, 4, 4, 4, 4]);
    expect(results.every(({ stderr }) => stderr.includes("NOT_FOUND"))).toBe(true);
  });
});

describe("what the commands show", () => {
  let run: { readonly runId: string; readonly specHash: string; readonly outputsHash: string };

  beforeAll(async () => {
    run = jsonOf(
      await daemon.cli("run", "acme/hello", "-i", "whom=Ana", "-m", "Say hello.", "-o", "json"),
    ) as typeof run;
  });

  it("get dags, dag, runs and run: JSON with -o json, a table or lines without", async () => {
    const gets = [
      ["get", "dags", "-t", "acme"],
      ["get", "dag", "acme/hello"],
      ["get", "runs", "acme/hello"],
      ["get", "run", run.runId, "-t", "acme"],
    ];

    const [asJson, asText] = await Promise.all(
      [["-o", "json"], []].map((format) => Promise.all(gets.map((get) => daemon.cli(...get, ...format)))),
    );

    const [all, dag, runs, one] = (asJson ?? []).map((result) => jsonOf(result));
    expect((all as { readonly dagId: string }[]).map(({ dagId }) => dagId)).toEqual([
      "asks",
      "fails",
      "hello",
      "waits",
    ]);
    expect(dag).toMatchObject({ apiVersion: "orrery/v1", kind: "Dag" });
    expect(runs).toContainEqual(expect.objectContaining({ runId: run.runId, state: "succeeded", dagId: "hello" }));
    expect(one).toMatchObject({ runId: run.runId, attempts: [{ stepId: "say", status: "succeeded" }] });
    expect((asText ?? []).map(({ exit, stderr }) => ({ exit, stderr }))).toEqual(
      gets.map(() => ({ exit: 0, stderr: "" })),
    );
    expect(asText?.[0]?.stdout).toMatch(/^DAG +READY +SCHEDULES/u);
    expect(asText?.[0]?.stdout).toMatch(/^asks +NotAllowed /mu);
    expect(asText?.[2]?.stdout).toContain(run.runId);
    expect(asText?.[3]?.stdout).toMatch(/^acme\/hello #1 {2}succeeded\n/u);
  });

  it("get dag -o json is the very text that specHash is taken from", async () => {
    const { stdout } = await daemon.cli("get", "dag", "acme/hello", "-o", "json");

    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(stdout.replace(/\n$/u, "")));
    expect(Buffer.from(digest).toString("hex")).toBe(run.specHash);
  });

  it("a tenant sees nothing of another's runs", async () => {
    const [other, list] = await Promise.all([
      daemon.cli("get", "run", run.runId, "-t", "example"),
      daemon.cli("get", "runs", "-t", "example", "-o", "json"),
    ]);

    expect(other.exit).toBe(4);
    expect(jsonOf(list)).toEqual([]);
  });

  it("logs shows what a step logged; with -o json line by line", async () => {
    const [text, json, absent] = await Promise.all([
      daemon.cli("logs", run.runId, "-t", "acme"),
      daemon.cli("logs", run.runId, "-t", "acme", "--step", "say", "-o", "json"),
      daemon.cli("logs", run.runId, "-t", "acme", "--step", "nobody"),
    ]);

    expect(text.stdout).toMatch(/^say\[0\]#1 {2}info +hello Ana/u);
    expect(jsonOf(json)).toMatchObject({ level: "info", message: "hello Ana" });
    expect(absent.exit).toBe(4);
  });

  it("the same key and inputs are the same run; the same key with other inputs is refused", async () => {
    const start = (whom: string): Promise<CliResult> =>
      daemon.cli("run", "acme/hello", "--key", "once", "-i", `whom=${whom}`, "-o", "json");

    const [first, again, other] = [await start("Ben"), await start("Ben"), await start("Zoe")];

    expect((jsonOf(again) as { readonly runId: string }).runId).toBe(
      (jsonOf(first) as { readonly runId: string }).runId,
    );
    expect(again).toMatchObject({ exit: 0 });
    expect(again.stderr).toContain("existing run");
    expect(other.stderr).toContain("IDEMPOTENCY_KEY_REUSED");
    expect(other.exit).toBe(3);
  });

  it("explain tells a code by number or name, and a field, without a daemon", async () => {
    const results = await Promise.all(
      [["NOT_ALLOWED"], ["ORY6001"], ["dag.spec.steps.retry"]].map((args) => orrery(["explain", ...args])),
    );

    expect(results.map(({ exit }) => exit)).toEqual([0, 0, 0]);
    expect(results.map(({ stdout }) => stdout)).toEqual([
      expect.stringMatching(/^ORY3\d{3} NOT_ALLOWED: /u),
      expect.stringMatching(/^ORY6001 AUDIT_TAMPERED: /u),
      expect.stringContaining("retry"),
    ]);
  });
});

describe("cancel", () => {
  const who = `user ${userInfo().username}@cli`;
  const start = async (): Promise<string> =>
    (jsonOf(await daemon.cli("run", "acme/waits", "--no-wait", "-o", "json")) as { readonly runId: string }).runId;
  const stateOf = async (runId: string): Promise<string> =>
    (jsonOf(await daemon.cli("get", "run", runId, "-t", "acme", "-o", "json")) as { readonly state: string }).state;

  it("ends a queued and a running run: the records say so, by whom and why", async () => {
    const running = await start();
    await until(async () => (await stateOf(running)) === "running");
    const queued = await start();
    const queuedState = await stateOf(queued);

    const cancels = [
      await daemon.cli("cancel", queued, "-t", "acme", "-m", "Not needed at all."),
      await daemon.cli("cancel", running, "-t", "acme", "-m", "No longer needed."),
    ];
    const ends = await Promise.all(
      [queued, running].map((runId) => daemon.cli("wait", runId, "-t", "acme", "--timeout", "20", "-o", "json")),
    );
    const again = await daemon.cli("cancel", running, "-t", "acme");
    const records = await Promise.all([queued, running].map((runId) => specs.recorded((line) => line.runId === runId)));

    expect(queuedState).toBe("queued");
    expect(cancels.map(({ exit }) => exit)).toEqual([0, 0]);
    expect(ends.map(({ exit }) => exit)).toEqual([1, 1]);
    for (const end of ends) expect(jsonOf(end)).toMatchObject({ state: "cancelled", code: "RUN_CANCELLED" });
    for (const record of records)
      expect(record).toMatchObject({
        status: "cancelled",
        code: "RUN_CANCELLED",
        steps: [{ stepId: "only", status: "cancelled" }],
      });
    expect(records[0]?.rationale).toContainEqual({ source: "cancel", text: `${who}: Not needed at all.` });
    expect(records[1]?.rationale).toContainEqual({ source: "cancel", text: `${who}: No longer needed.` });
    expect(again.exit).not.toBe(70);
  });
});

it("a site's records name the site on every line and their own branch", async () => {
  const lines = await specs.recordLines();

  expect(auditRef.endsWith(testSite)).toBe(true);
  expect(new Set(lines.map((line) => (JSON.parse(line) as { readonly site: string }).site))).toEqual(
    new Set([testSite]),
  );
});
