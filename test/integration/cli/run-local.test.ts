import { chmodSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../../src/base/node-digest.ts";
import { isConfinable } from "../../support/confinable.ts";
import { scratchDir } from "../../support/git-fixtures.ts";
import { exampleWorkTree, orrery, type Ran } from "./cli-fixture.ts";

interface Step {
  readonly stepId: string;
  readonly status: string;
  readonly reason?: string;
  readonly outputs?: unknown;
  readonly attempts: readonly { readonly attempt: number; readonly status: string; readonly code?: string }[];
}

interface Report {
  readonly ok: boolean;
  readonly status: string;
  readonly code: string | null;
  readonly context: { readonly now: string };
  readonly outputsHash: string;
  readonly findings: readonly { readonly code: string; readonly severity: string }[];
  readonly steps: readonly Step[];
  readonly store: string | null;
}

// Where confined can be had it is taken: the flag only lets weaker machines run these tests.
const runLocal = (...argv: string[]): Promise<Ran> => orrery("run", "--local", "--allow-weak", "-o", "json", ...argv);
const reportOf = ({ out, notes }: Ran): Report => {
  try {
    return JSON.parse(out) as Report;
  } catch {
    throw new Error(`no report:\n${out}\n${notes}`);
  }
};
const stepOf = (report: Report, stepId: string): Step | undefined =>
  report.steps.find((step) => step.stepId === stepId);

function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}

const dag = (...lines: readonly string[]): string =>
  ["apiVersion: orrery/v1", "kind: Dag", "spec:", "  rationale: A test.", ...lines, ""].join("\n");

const script = (body: string): string => `var plugin = { default: { run(input, ctx) { ${body} } } };\n`;

const manifest = (service: string, text: string, more: readonly string[] = []): string =>
  [
    ...["apiVersion: orrery/v1", "kind: Plugin", "spec:", `  service: ${service}`, "  emits: raw"],
    ...[`  sha256: "${sha256Hex(Buffer.from(text))}"`, "  effects: none", ...more],
    ...["  input: { type: object }", "  output: { type: object }", ""],
  ].join("\n");

const allowlist = (...lines: readonly string[]): string =>
  ["apiVersion: orrery/v1", "kind: Allowlist", "spec:", ...lines, ""].join("\n");

const coreAlone = allowlist('  plugins: [{ name: "core.*", versions: ["1.x"] }]');

describe("run --local", () => {
  it("runs files that nobody has committed, in the sandbox, and leaves nothing behind", async () => {
    using home = scratchDir();
    const work = exampleWorkTree(home);
    const steps = ['  steps: { say: { uses: core.log@1.0.0, with: { message: "at ${{ run.now }}" } } }'];
    write(work, { "tenants/acme/dags/fresh.yaml": dag(...steps) });
    const before = readdirSync(work, { recursive: true }).length;

    const ran = await runLocal(join(work, "tenants/acme/dags/fresh.yaml"), "--now", "2026-12-01T03:30:00Z");

    const report = reportOf(ran);
    expect(ran.exit).toBe(0);
    expect(report).toMatchObject({ ok: true, status: "succeeded", context: { now: "2026-12-01T03:30:00.000Z" } });
    expect(stepOf(report, "say")?.outputs).toEqual({ message: "at 2026-12-01T03:30:00.000Z" });
    expect(ran.notes).toMatch(/say +start\n.*say +info +at 2026-12-01.*\n.*say +ok/);
    expect(readdirSync(work, { recursive: true })).toHaveLength(before);
  });

  it("two at once do not disturb each other, and each keeps what it is told to and nothing else", async () => {
    using home = scratchDir();
    const work = exampleWorkTree(home);
    const stores = (ran: Ran): string => dirname(reportOf(ran).store ?? "");
    const play = () => runLocal("acme/hello", "--repo", work, "--now", "2026-12-01", "--keep");

    const both = await Promise.all([play(), play()]);

    const kept = both.map(stores);
    expect(both.map((ran) => [ran.exit, reportOf(ran).status])).toEqual(Array(2).fill([0, "succeeded"]));
    expect(new Set(both.map((ran) => reportOf(ran).outputsHash)).size).toBe(1);
    expect(new Set(kept).size).toBe(2);
    for (const dir of kept) {
      expect(readdirSync(dir)).toEqual(["store"]);
      rmSync(dir, { recursive: true });
    }
  });

  it("the same instant gives the same hashes again", async () => {
    using home = scratchDir();
    const work = exampleWorkTree(home);

    const again = async (): Promise<string> =>
      reportOf(await runLocal("acme/hello", "--repo", work, "--now", "2026-12-01")).outputsHash;

    expect(await again()).toBe(await again());
  });

  it("plays a slot with the inputs of its schedule", async () => {
    using home = scratchDir();
    const work = exampleWorkTree(home);
    const lines = [
      "  schedules: [{ name: nightly, cron: '30 3 * * *', timezone: Europe/Vienna, inputs: { day: '${{ slot.date }}' } }]",
      "  inputs: { day: { type: date } }",
      "  steps: { say: { uses: core.log@1.0.0, with: { message: '${{ inputs.day }} ${{ slot.local }}' } } }",
    ];
    write(work, { "tenants/acme/dags/slots.yaml": dag(...lines) });

    const ran = await runLocal("acme/slots", "--repo", work, "--slot", "2026-12-01T02:30:00Z");

    expect(stepOf(reportOf(ran), "say")?.outputs).toMatchObject({
      message: expect.stringMatching(/^2026-12-01 /) as string,
    });
    expect(await runLocal("acme/slots", "--repo", work)).toMatchObject({
      exit: 2,
      notes: expect.stringContaining("INPUTS_INVALID") as string,
    });
    expect(await runLocal("acme/hello", "--repo", work, "--slot", "2026-12-01", "--schedule", "x")).toMatchObject({
      exit: 2,
    });
  });

  it("shows retries, a false when, what was skipped, and each item of a list", async () => {
    using home = scratchDir();
    const work = exampleWorkTree(home);
    const lines = [
      "  steps:",
      "    each: { uses: core.js@1.0.0, forEach: { in: '${{ [1, 2, 3] }}', as: n }, with: { n: '${{ n }}' }, code: '({ n }) => ({ twice: n * 2 })' }",
      "    flaky:",
      "      uses: core.js@1.0.0",
      "      retry: { maxAttempts: 2, backoff: 1s }",
      "      code: |",
      "        (input, ctx) => { if (ctx.attempt === 1) throw Object.assign(new Error('not yet'), { transient: true }); return { attempt: ctx.attempt }; }",
      "    never: { uses: core.log@1.0.0, when: '${{ 1 > 2 }}', with: { message: no } }",
      "    after: { needs: never, uses: core.log@1.0.0, with: { message: no } }",
    ];
    write(work, { "tenants/acme/dags/shapes.yaml": dag(...lines) });

    const ran = await runLocal("acme/shapes", "--repo", work);

    const report = reportOf(ran);
    expect(report.status).toBe("succeeded");
    expect(stepOf(report, "each")?.outputs).toEqual([{ twice: 2 }, { twice: 4 }, { twice: 6 }]);
    expect(stepOf(report, "flaky")?.attempts.map(({ status }) => status)).toEqual(["failed", "succeeded"]);
    expect(stepOf(report, "never")).toMatchObject({ status: "skipped", reason: "when" });
    expect(ran.notes).toMatch(/flaky +failed +transient STEP_FAILED.*not yet/);
    expect(ran.notes).toMatch(/flaky #2 +start/);
    expect(ran.notes).toMatch(/never +skipped: when/);
    expect(ran.notes).toMatch(/after +skipped: upstream_skipped/);
  });

  it("shows a grant that is missing as the daemon would, and refuses the step", async () => {
    using home = scratchDir();
    const work = exampleWorkTree(home);

    const ran = await runLocal("borealis/phone-home", "--repo", work);

    const report = reportOf(ran);
    expect(ran.exit).toBe(3);
    expect(report).toMatchObject({ ok: false, status: "failed", code: "ENDPOINT_NOT_ALLOWED" });
    expect(report.findings).toMatchObject([{ code: "ENDPOINT_NOT_ALLOWED", severity: "denied" }]);
    expect(report.steps.flatMap(({ attempts }) => attempts)).toEqual([]);
    expect(ran.notes).toContain("phone-home.yaml:9:17 denied ORY3002");
  });

  it("a DAG that would be held does not run: its findings, exit 1", async () => {
    using home = scratchDir();
    const work = exampleWorkTree(home);
    write(work, {
      "tenants/acme/dags/bad.yaml": dag("  steps: { a: { uses: core.log@1.0.0, needs: b, with: { message: x } } }"),
    });

    const ran = await runLocal("acme/bad", "--repo", work);

    expect(ran.exit).toBe(1);
    expect(JSON.parse(ran.out)).toMatchObject({ ok: false, findings: [{ code: "DAG_UNKNOWN_STEP", line: 5 }] });
    expect(ran.notes).not.toMatch(/ start$/m);
  });

  it("says what it does not find, and what only a daemon or only a work tree has", async () => {
    using home = scratchDir();
    const work = exampleWorkTree(home);

    expect(await runLocal("acme/helo", "--repo", work)).toMatchObject({
      notes: expect.stringContaining("did you mean hello?") as string,
    });
    expect(await runLocal(join(work, "orrery.yaml"))).toMatchObject({ exit: 2 });
    expect(await orrery("run", "acme/hello", "--now", "2026-12-01")).toMatchObject({
      exit: 2,
      notes: expect.stringContaining("--now goes with --local") as string,
    });
  });

  it("keeps artifacts and logs where it is asked to, and says where", async () => {
    using home = scratchDir();
    const work = exampleWorkTree(home);

    const report = reportOf(await runLocal("acme/hello", "--repo", work, "--keep"));

    const store = report.store ?? "";
    expect(readdirSync(join(store, "logs", "acme"))).not.toEqual([]);
    rmSync(dirname(store), { recursive: true });
  });
});

describe("run --local and a tenant's own plugin", () => {
  const echo = script("return { mine: true };");
  const own = { "plugin.js": echo, "plugin.yaml": manifest("acme", echo) };
  const at = (tenant: string): Readonly<Record<string, string>> =>
    Object.fromEntries(
      Object.entries(own).map(([name, text]) => [`tenants/${tenant}/plugins/acme.echo/1.0.0/${name}`, text]),
    );
  const uses = dag("  steps: { a: { uses: acme.echo@1.0.0 } }");
  const grants = allowlist('  plugins: [{ name: "*", versions: ["1.x"] }]');

  it("runs it for its tenant", async () => {
    using home = scratchDir();
    const work = exampleWorkTree(home);
    write(work, { ...at("acme"), "tenants/acme/dags/own.yaml": uses, "tenants/acme/allowlist.yaml": grants });

    const ran = await runLocal("acme/own", "--repo", work);

    expect(stepOf(reportOf(ran), "a")?.outputs).toEqual({ mine: true });
  });

  it("another tenant does not see it, whatever its allowlist grants", async () => {
    using home = scratchDir();
    const work = exampleWorkTree(home);
    write(work, { ...at("acme"), "tenants/borealis/dags/theft.yaml": uses, "tenants/borealis/allowlist.yaml": grants });

    const ran = await runLocal("borealis/theft", "--repo", work);
    const linted = await orrery("lint", work);

    expect(ran).toMatchObject({ exit: 1, out: expect.stringContaining("PLUGIN_UNKNOWN") as string });
    expect(linted.out).toMatch(/borealis\/dags\/theft\.yaml:\d+:\d+ error \S+ PLUGIN_UNKNOWN/);
  });

  it("a link to another tenant's plugin is no way in", async () => {
    using home = scratchDir();
    const work = exampleWorkTree(home);
    write(work, { ...at("acme"), "tenants/borealis/dags/theft.yaml": uses, "tenants/borealis/allowlist.yaml": grants });
    symlinkSync("../acme/plugins", join(work, "tenants/borealis/plugins"));

    const ran = await runLocal("borealis/theft", "--repo", work);

    expect(ran.exit).toBe(1);
    expect(ran.notes).not.toMatch(/ start$/m);
  });
});

const weak = isConfinable();

describe("run --local and secrets", () => {
  const teller = script("ctx.log('warn', 'it is ' + ctx.secrets.token); return { length: ctx.secrets.token.length };");
  const value = "correct-horse-battery-staple";

  const place = (work: string, data: string): void => {
    write(work, {
      "tenants/acme/plugins/acme.tell/1.0.0/plugin.js": teller,
      "tenants/acme/plugins/acme.tell/1.0.0/plugin.yaml": manifest("acme", teller, ["  needs: { secrets: [token] }"]),
      "tenants/acme/dags/tell.yaml": dag("  steps: { a: { uses: acme.tell@1.0.0, secrets: { token: our_token } } }"),
      "tenants/acme/allowlist.yaml": allowlist(
        '  plugins: [{ name: "acme.*", versions: ["1.x"] }]',
        '  secrets: [{ name: our_token, for: ["acme.*"] }]',
      ),
    });
    mkdirSync(join(data, "secrets", "acme"), { recursive: true, mode: 0o700 });
    for (const dir of [data, join(data, "secrets"), join(data, "secrets", "acme")]) chmodSync(dir, 0o700);
  };

  it("one without a value is a finding, and the step is refused", async () => {
    using home = scratchDir();
    const work = exampleWorkTree(home);
    place(work, home.join("data"));

    const ran = await runLocal("acme/tell", "--repo", work, "--data", home.join("data"));

    expect(ran.exit).toBe(3);
    expect(reportOf(ran)).toMatchObject({ code: "SECRET_MISSING", findings: [{ code: "SECRET_MISSING" }] });
  });

  it.skipIf(weak !== null)(`its value is on no channel${weak === null ? "" : ` (skipped: ${weak})`}`, async () => {
    using home = scratchDir();
    const work = exampleWorkTree(home);
    const data = home.join("data");
    place(work, data);
    writeFileSync(join(data, "secrets", "acme", "our_token"), value, { mode: 0o600 });

    const ran = await runLocal("acme/tell", "--repo", work, "--data", data);

    expect(stepOf(reportOf(ran), "a")?.outputs).toEqual({ length: value.length });
    expect(ran.notes).toContain("it is [redacted]");
    expect(ran.notes + ran.out).not.toContain(value);
  });
});

it("a DAG of a tenant with a narrower allowlist is refused at the step, not only in a finding", async () => {
  using home = scratchDir();
  const work = exampleWorkTree(home);
  write(work, { "tenants/acme/allowlist.yaml": coreAlone });

  const ran = await runLocal("acme/nightly-vex", "--repo", work, "--slot", "2026-12-01T02:30:00Z");

  expect(ran.exit).toBe(3);
  expect(stepOf(reportOf(ran), "link")).toMatchObject({ status: "failed", reason: "plugin_not_allowed" });
});
