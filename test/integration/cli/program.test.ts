import { describe, expect, it } from "vitest";
import { type CodeName, codes } from "../../../src/base/index.ts";
import { scratchDir } from "../../support/git-fixtures.ts";
import { nobodysEnvironment, orrery } from "./cli-fixture.ts";

describe("orrery explain", () => {
  it.each(Object.keys(codes) as CodeName[])("%s by name and by number, the same text", async (name) => {
    const [byName, byNumber] = await Promise.all([orrery("explain", name), orrery("explain", codes[name].number)]);

    expect(byName.exit).toBe(0);
    expect(byName.out).toBe(byNumber.out);
    // Broken at blanks, for a terminal.
    expect(byName.out.replaceAll(/\s+/g, " ")).toContain(codes[name].fix.replaceAll(/\s+/g, " "));
  });

  it("explains a reason of conditions, and one of the site by its code", async () => {
    const [reason, twin, site, json] = [
      await orrery("explain", "NotAllowed"),
      await orrery("explain", "Suspended"),
      await orrery("explain", "ApprovalsMissing"),
      await orrery("explain", "PruneBrake", "-o", "json"),
    ];

    expect(reason.out).toContain("NotAllowed: a reason of conditions, of a DAG");
    expect(twin.out).toContain("Suspended: a reason of conditions, of a DAG or a tenant");
    expect(site.out).toContain("ORY4027 APPROVALS_MISSING");
    expect(JSON.parse(json.out)).toMatchObject({ name: "PruneBrake", of: "tenant" });
  });

  it("a field of a spec with type and default; an unknown one names its neighbours, exit 2", async () => {
    const field = await orrery("explain", "dag.spec.steps.retry.maxAttempts");
    const unknown = await orrery("explain", "dag.spec.steps.retries");

    expect(field).toMatchObject({ exit: 0, out: expect.stringContaining("default  1") as unknown });
    expect(unknown).toMatchObject({ exit: 2, notes: expect.stringContaining("retry") as unknown });
  });
});

describe("orrery service print", () => {
  it("quotes what systemd would split or expand", async () => {
    const { out } = await orrery("service", "print", "--repo", "/srv/a b/$x%h.git", "--data", "/d");

    expect(out).toContain('"--repo" "/srv/a b/$$x%%h.git" "--data" "/d"');
  });
});

describe("commands of a daemon, where none runs", () => {
  it.each([
    { argv: ["run", "acme/hello"] },
    { argv: ["get", "dags", "-t", "acme"] },
    { argv: ["describe", "acme/hello"] },
    { argv: ["logs", "019b0000-0000-7000-8000-00000000000a", "-t", "acme"] },
    { argv: ["cancel", "019b0000-0000-7000-8000-00000000000a", "-t", "acme"] },
    { argv: ["wait", "019b0000-0000-7000-8000-00000000000a", "-t", "acme"] },
  ])("$argv is exit 4 and says so", async ({ argv }) => {
    using home = scratchDir();
    using _ = nobodysEnvironment(home);

    const { exit, notes } = await orrery(...argv, "--data", home.join("data"));

    expect(exit).toBe(4);
    expect(notes).toContain("ORY1011 DAEMON_UNREACHABLE");
  });
});

describe("usage", () => {
  it.each([
    { argv: ["nonsense"] },
    { argv: ["run"] },
    { argv: ["run", "hello"] },
    { argv: ["run", "../hello"] },
    { argv: ["get", "nothing"] },
    { argv: ["init"] },
    { argv: ["audit", "verify"] },
    { argv: ["explain", "__proto__"] },
    { argv: ["explain", "constructor.name"] },
  ])("$argv is exit 2", async ({ argv }) => {
    expect((await orrery(...argv)).exit).toBe(2);
  });

  it.each([{ argv: ["--help"] }, { argv: ["--version"] }, { argv: ["lint", "--help"] }, { argv: ["plan", "--help"] }])(
    "$argv is exit 0",
    async ({ argv }) => {
      expect((await orrery(...argv)).exit).toBe(0);
    },
  );
});
