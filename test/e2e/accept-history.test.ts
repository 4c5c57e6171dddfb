import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CliResult } from "../support/built-cli.ts";
import { type DaemonProcess, startDaemonProcess } from "../support/daemon-process.ts";
import {
  createSpecRepository,
  dagPath,
  dagText,
  type RecordLine,
  type SpecRepository,
  tenantFiles,
} from "../support/spec-repository.ts";

const says = (message: string): string =>
  dagText(`steps: { say: { uses: core.log@1.0.0, with: { message: ${message} } } }`);
const hello = dagPath("acme", "hello");
const order = ["-m", "restored from a backup", "--ticket", "INC-8"] as const;

let specs: SpecRepository;
let daemon: DaemonProcess;
/** What both histories share; then the commit that gets lost, and the one that stands in its place. */
let base: string;
let lost: string;
let fork: string;

const wait = (commit: string): Promise<CliResult> => daemon.cli("wait", commit, "--timeout", "30");

const specHash = async (): Promise<string> => {
  const { stdout } = await daemon.cli("get", "dag", "acme/hello", "-o", "json");
  return (JSON.parse(stdout) as { readonly specHash: string }).specHash;
};

beforeAll(async () => {
  specs = await createSpecRepository();
  daemon = await startDaemonProcess(specs.dataDir);
  base = await specs.commit({ ...tenantFiles("acme"), [hello]: says("one") }, "A tenant");
  await specs.push();
  expect(await wait(base)).toMatchObject({ exit: 0 });
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  specs[Symbol.dispose]();
});

describe("orrery accept-history", () => {
  it("is refused while the branch goes forward: it is no way round a rule", async () => {
    const unsigned = await specs.commit({ [hello]: says("sneaked in") }, "Unsigned", "nobody");
    await specs.push();
    expect(await wait(unsigned)).toMatchObject({ exit: 1 });
    const before = await specHash();

    const refused = await daemon.cli("accept-history", "--to", unsigned, ...order);

    expect(refused.exit).not.toBe(0);
    expect(refused.stderr).toMatch(/BAD_REQUEST.*descends from the verified revision/u);
    expect(await specHash()).toBe(before);
    await specs.git("reset", "-q", "--hard", base);
    await specs.bareGit("update-ref", "refs/heads/main", base);
  });

  it("is needed after a fork: neither waiting, nor more commits, nor a restart lead past it", async () => {
    lost = await specs.commit({ [hello]: says("two") }, "The commit that gets lost");
    await specs.push();
    expect(await wait(lost)).toMatchObject({ exit: 0 });
    const verified = await specHash();
    await specs.bareGit("update-ref", "refs/heads/main", base);
    await specs.git("reset", "-q", "--hard", base);
    await specs.commit({ [hello]: says("three") }, "In its place");
    fork = await specs.commit({ "docs/note.md": "more\n" }, "And one more");
    await specs.push();

    const stalled = await wait(fork);
    await daemon.stop("SIGTERM");
    daemon = await startDaemonProcess(specs.dataDir);
    await daemon.logged(({ msg, reason }) => msg === "the site is stalled" && reason === "TrustRewind");

    expect(stalled).toMatchObject({ exit: 1 });
    expect(stalled.stderr).toContain("TrustRewind: ");
    expect(await wait(fork)).toMatchObject({ exit: 1 });
    expect(await specHash()).toBe(verified);
  });

  it.each<[string, readonly string[], number, RegExp]>([
    ["without a reason", ["--ticket", "INC-8"], 2, /--message/],
    ["with a blank reason", ["-m", " ", "--ticket", "INC-8"], 2, /BAD_REQUEST.*reason/su],
    ["without a ticket", ["-m", "restored"], 2, /--ticket/],
  ])("is refused %s", async (_, args, exit, message) => {
    const refused = await daemon.cli("accept-history", "--to", base, ...args);

    expect(refused.exit).toBe(exit);
    expect(refused.stderr).toMatch(message);
  });

  it("is refused for HEAD, for what is nowhere, and for a commit that is not on the branch", async () => {
    const head = await daemon.cli("accept-history", "--to", "HEAD", ...order);
    const nowhere = await daemon.cli("accept-history", "--to", "1".repeat(40), ...order);
    const away = await daemon.cli("accept-history", "--to", lost, ...order);

    expect(head).toMatchObject({ exit: 2, stderr: expect.stringContaining("HEAD means nothing") as string });
    expect(nowhere.exit).not.toBe(0);
    expect(away.stderr).toMatch(/is not on refs\/heads\/main along first parents/u);
    expect(await wait(fork)).toMatchObject({ exit: 1 });
  });

  it("leads past it from the commit it names, judges what follows, and is on the audit branch with reason and ticket", async () => {
    const accepted = await daemon.cli("accept-history", "--to", base, ...order);

    expect(accepted).toMatchObject({
      exit: 0,
      stdout: expect.stringContaining(`${base} counts as verified`) as string,
    });
    expect(await wait(fork)).toMatchObject({ exit: 0 });
    const record = await specs.recorded(({ kind }: RecordLine) => kind === "control");
    expect(record).toMatchObject({
      ...{ tenant: "_site", kind: "control", verb: "accept_history", ticket: "INC-8" },
      target: `history/${lost}..${base}`,
      actor: { kind: "user" },
      rationale: [{ source: "trigger", text: "restored from a backup" }],
    });
    const unsigned = await specs.commit({ [hello]: says("sneaked in") }, "Unsigned", "nobody");
    await specs.push();
    expect(await wait(unsigned)).toMatchObject({ exit: 1 });
  });
});
