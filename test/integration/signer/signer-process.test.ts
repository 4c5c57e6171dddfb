import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  watch,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import type { SignRequest } from "../../../src/signer/index.ts";
import { createSignerClient } from "../../../src/signer/index.ts";
import { encodeRequest } from "../../../src/signer/sign-codec.ts";
import { SignerProcess } from "../../../src/signer/signer-process.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { stockGit } from "../../support/git-fixtures.ts";
import { RecorderModel } from "../../unit/signer/recorder-model.ts";
import { auditRepository, type SignerBundle, signerBundle, signerPids } from "./signer-fixture.ts";
import { sshKeygen } from "./ssh-keygen.ts";

const asText = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) =>
    item instanceof Uint8Array ? Buffer.from(item).toString("base64") : item,
  );

/** Resolves when the state file says that `batch` is signed. */
function signedOnDisk(stateFile: string, batch: number): Promise<void> {
  const there = (): boolean => {
    try {
      return readFileSync(stateFile, "utf8").includes(`"head":{"batch":${batch},`);
    } catch {
      return false;
    }
  };
  return new Promise((resolve) => {
    const watcher = watch(dirname(stateFile), () => {
      if (!there()) return;
      watcher.close();
      resolve();
    });
  });
}

async function signBatches({ signer, recorder }: SignerBundle, count: number): Promise<readonly SignRequest[]> {
  const requests: SignRequest[] = [];
  for (let batch = 0; batch < count; batch++) {
    const request = recorder.next({ _site: 1, acme: 3, zeta: batch % 2 });
    requests.push(request);
    recorder.accept(await signer.sign(request));
  }
  return requests;
}

describe("what the signer signs", () => {
  it("is a history that stock git and ssh-keygen accept, by the key file in the branch itself", async () => {
    await using bundle = signerBundle();
    const { signer, scratch } = bundle;
    await signer.start();
    await signBatches(bundle, 4);

    const repo = auditRepository(bundle);
    const show = (path: string) => stockGit(repo, ["show", `audit/hq:${path}`]);
    const signers = scratch.join("audit_signers");
    writeFileSync(signers, `${show("keys/audit_signers")}\n`);
    const config = ["-c", `gpg.ssh.allowedSignersFile=${signers}`];

    expect(stockGit(repo, ["fsck", "--strict"])).toBe("");
    expect(stockGit(repo, ["rev-list", "audit/hq"]).split("\n")).toEqual(bundle.recorder.commits.toReversed());
    for (const commit of bundle.recorder.commits) stockGit(repo, [...config, "verify-commit", commit]);
    expect(stockGit(repo, [...config, "log", "--format=%G? %GS %GK %cn <%ce> %ci", "-1", "audit/hq"])).toBe(
      `G audit@hq ${signer.publicKey.fingerprint} orrery recorder <audit@hq> 2026-11-24 00:00:20 +0000`,
    );
    expect(show("keys/log.ndjson")).toBe(`{"from":1,"key":"${signer.publicKey.line}"}`);
    const sig = scratch.join("checkpoint.sig");
    writeFileSync(sig, `${show("checkpoint.sig")}\n`);
    const verify = ["-Y", "verify", "-f", signers, "-I", "audit@hq", "-n", "orrery-checkpoint", "-s", sig];
    expect(sshKeygen(verify, `${show("checkpoint")}\n`).ok).toBe(true);
    expect(sshKeygen(verify, `${show("checkpoint")} \n`).ok).toBe(false);
  });

  it("is found out by stock git when one byte of it is changed", async () => {
    await using bundle = signerBundle();
    const { signer, scratch } = bundle;
    await signer.start();
    await signBatches(bundle, 1);
    const repo = auditRepository(bundle);
    const signers = scratch.join("audit_signers");
    writeFileSync(signers, `audit@hq ${signer.publicKey.line}\n`);

    const forged = stockGit(repo, ["cat-file", "commit", "audit/hq"]).replace("records 4", "records 5");
    const oid = stockGit(repo, ["hash-object", "-w", "-t", "commit", "--stdin"], { input: `${forged}\n` });

    expect(() => stockGit(repo, ["-c", `gpg.ssh.allowedSignersFile=${signers}`, "verify-commit", oid])).toThrow();
  });
});

describe("a signer that is killed", () => {
  it("between its state and its answer: the same request gives the same bytes, another one is refused", async () => {
    await using bundle = signerBundle();
    await using twin = signerBundle({ keyFile: bundle.options.keyFile });
    await twin.signer.start();
    const { site, keyFile, stateFile } = bundle.options;
    const first = bundle.recorder.next({ acme: 2 });
    const other = bundle.recorder.next({ acme: 2 });
    const expected = asText(await twin.signer.sign(first));
    mkdirSync(dirname(stateFile), { recursive: true });

    const doomed = new SignerProcess();
    await doomed.call("open", { site, keyFile, stateFile, uid: null });
    const written = signedOnDisk(stateFile, 1);
    const unheard = doomed.call("sign", encodeRequest(first)).catch((error: unknown) => error);
    await written;
    doomed.kill("test");
    await doomed.end();
    await unheard;

    await bundle.signer.start();
    const last = await bundle.signer.last();
    expect(last?.batch).toBe(1);
    expect(asText(await bundle.signer.sign(last!.request))).toBe(expected);
    expect(asText(await bundle.signer.sign(first))).toBe(expected);
    await expect(bundle.signer.sign(other)).rejects.toThrow("another batch 1 is signed already");
  });

  it("again and again: each batch is asked until answered, and the history has no gap and no double", async () => {
    await using bundle = signerBundle();
    const { signer, recorder } = bundle;
    await signer.start();

    for (let batch = 1; batch <= 5; batch++) {
      const request = recorder.next({ acme: batch });
      const doomed = signer.sign(request).catch((error: unknown) => error);
      for (const pid of signerPids()) process.kill(pid, "SIGKILL");
      const first = await doomed;
      if (first instanceof Error) expect(first).toMatchObject({ code: "SIGNER_LOST" });
      recorder.accept(await signer.sign(request));
    }

    const repo = auditRepository(bundle);
    expect(stockGit(repo, ["rev-list", "--count", "audit/hq"])).toBe("5");
    expect(stockGit(repo, ["show", "audit/hq:checkpoint"]).split("\n")[1]).toBe("15");
  });

  it("leaves a torn scratch file at most, which the next one does not mind", async () => {
    await using bundle = signerBundle();
    const { stateFile } = bundle.options;
    mkdirSync(dirname(stateFile), { recursive: true });
    writeFileSync(`${stateFile}.tmp`, "{");
    await bundle.signer.start();

    await signBatches(bundle, 1);

    expect(readdirSync(dirname(stateFile))).toEqual(["state.json"]);
  });
});

describe("the signer's process", () => {
  it("is deaf to Ctrl-C and ends with its input, leaving nothing", async () => {
    await using bundle = signerBundle();
    await bundle.signer.start();
    const pids = signerPids();
    for (const pid of pids) for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(pid, signal);

    await signBatches(bundle, 1);
    expect(signerPids()).toEqual(pids);
    await bundle.signer.stop();

    expect(pids).toHaveLength(1);
    expect(signerPids()).toEqual([]);
  });

  it("inherits nothing from the environment of the daemon", async () => {
    await using bundle = signerBundle();
    await bundle.signer.start();
    const [pid] = signerPids();

    expect(readFileSync(`/proc/${pid}/environ`, "utf8")).toBe("");
    expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).not.toContain("recorder.key");
  });

  it("keeps its state to itself", async () => {
    await using bundle = signerBundle();
    await bundle.signer.start();
    await signBatches(bundle, 1);

    expect(statSync(bundle.options.stateFile).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(bundle.options.stateFile)).mode & 0o777).toBe(0o700);
  });

  const root = process.getuid?.() === 0;
  it.skipIf(!root)("as root gives up root, and works below a directory closed to its uid (needs root)", async () => {
    const uid = 61_000;
    await using bundle = signerBundle({ uid });
    const { keyFile, stateFile } = bundle.options;
    chmodSync(bundle.scratch.path, 0o700);

    await bundle.signer.start();
    await signBatches(bundle, 2);

    const status = readFileSync(`/proc/${signerPids()[0]}/status`, "utf8");
    expect(status).toMatch(/^Uid:\t61000\t61000\t61000\t61000$/m);
    expect(status).toMatch(/^Gid:\t61000\t61000\t61000\t61000$/m);
    expect(status).toMatch(/^Groups:\s*$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    for (const path of [keyFile, stateFile, dirname(stateFile)]) expect(statSync(path).uid).toBe(uid);
    expect(statSync(bundle.scratch.path).uid).toBe(0);
  });

  it.skipIf(!root)("as root takes over state and key of an earlier start under another uid (needs root)", async () => {
    await using bundle = signerBundle({ uid: 61_000 });
    const { keyFile, stateFile } = bundle.options;
    mkdirSync(dirname(stateFile), { mode: 0o700 });
    chownSync(dirname(stateFile), 61_007, 61_007);
    chownSync(keyFile, 61_007, 61_007);
    await bundle.signer.start();

    await signBatches(bundle, 1);

    expect(statSync(stateFile).uid).toBe(61_000);
  });

  it.skipIf(root)("not as root refuses a uid of its own by name (needs an ordinary user)", async () => {
    await using bundle = signerBundle({ uid: 61_000 });

    await expect(bundle.signer.start()).rejects.toThrow("only root can give the signer a uid of its own");
  });
});

describe("a client", () => {
  it("stops before start, twice, and can start again", async () => {
    await using bundle = signerBundle();
    await bundle.signer.stop();
    await bundle.signer.start();
    await bundle.signer.stop();
    await bundle.signer.stop();
    await expect(bundle.signer.last()).rejects.toMatchObject({ code: "SIGNER_LOST" });
    await bundle.signer.start();

    expect(await bundle.signer.last()).toBeNull();
  });

  it("has no public key before it started", async () => {
    await using bundle = signerBundle();

    expect(() => bundle.signer.publicKey).toThrow("the signer has not started");
  });

  it("says what is wrong with the key, and starts once that is right", async () => {
    await using bundle = signerBundle();
    const { keyFile } = bundle.options;
    renameSync(keyFile, `${keyFile}.away`);

    await expect(bundle.signer.start()).rejects.toMatchObject({ code: "KEY_UNREADABLE" });
    expect(signerPids()).toEqual([]);

    renameSync(`${keyFile}.away`, keyFile);
    await bundle.signer.start();
    expect(bundle.signer.publicKey.line).toMatch(/^ssh-ed25519 AAAA/);
  });

  it.each([
    ["no JSON", "{"],
    ["of another version", '{"version":2,"site":"hq","key":"x","head":null,"last":null}'],
    ["with a member too many", '{"version":1,"site":"hq","key":"x","head":null,"last":null,"more":1}'],
  ])("does not start on a state file that is %s", async (_, text) => {
    await using bundle = signerBundle();
    mkdirSync(dirname(bundle.options.stateFile), { recursive: true });
    writeFileSync(bundle.options.stateFile, text);

    await expect(bundle.signer.start()).rejects.toMatchObject({
      code: "SIGNER_REFUSED",
      message: expect.stringContaining("does not decode") as string,
    });
  });

  it("refuses a batch that is too large without sending it", async () => {
    await using bundle = signerBundle();
    await bundle.signer.start();
    const request = bundle.recorder.next({ acme: 1 });
    const files = [{ path: "records/x", bytes: Buffer.alloc(33 * 1024 * 1024) }];

    await expect(bundle.signer.sign({ ...request, files })).rejects.toMatchObject({ code: "SIGNER_REFUSED" });
  });

  it("kills a signer that does not answer for a minute, and asks a new one", async () => {
    const clock = new FakeClock();
    await using bundle = signerBundle({ clock });
    await bundle.signer.start();
    const request = bundle.recorder.next({ acme: 1 });
    for (const pid of signerPids()) process.kill(pid, "SIGSTOP");
    const stuck = bundle.signer.sign(request).catch((error: unknown) => error);
    while (clock.sleeping === 0) await new Promise((resolve) => setImmediate(resolve));

    await clock.advance(60_000);

    expect(await stuck).toMatchObject({ code: "SIGNER_LOST", message: expect.stringContaining("answer") as string });
    expect((await bundle.signer.sign(request)).commit.oid).toMatch(/^[0-9a-f]{40}$/);
  });

  it("is told when another signer wrote the same state, so that no two batches of one number leave", async () => {
    await using bundle = signerBundle();
    const rival = createSignerClient(bundle.options);
    await bundle.signer.start();
    await rival.start();
    const [one, two] = [bundle.recorder.next({ acme: 1 }), new RecorderModel().next({ zeta: 1 })];

    await bundle.signer.sign(one);

    await expect(rival.sign(two)).rejects.toMatchObject({ code: "SIGNER_LOST" });
    await expect(rival.sign(two)).rejects.toThrow("another batch 1 is signed already");
    await rival.stop();
  });
});
