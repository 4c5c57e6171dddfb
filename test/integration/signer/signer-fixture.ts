import { readdirSync, readFileSync } from "node:fs";
import { systemClock } from "../../../src/base/index.ts";
import {
  createPrivateKeyFile,
  createSignerClient,
  type SignerClient,
  type SignerOptions,
} from "../../../src/signer/index.ts";
import { type ScratchDir, scratchDir, stockGit, stockRepository } from "../../support/git-fixtures.ts";
import { RecorderModel } from "../../unit/signer/recorder-model.ts";

export interface SignerBundle extends AsyncDisposable {
  readonly scratch: ScratchDir;
  readonly options: SignerOptions;
  readonly signer: SignerClient;
  readonly recorder: RecorderModel;
}

/** A key, a client that has not started, and a recorder. */
export function signerBundle(over: Partial<SignerOptions> = {}): SignerBundle {
  const scratch = scratchDir();
  const keyFile = scratch.join("recorder.key");
  createPrivateKeyFile(keyFile, "audit@hq");
  const stateFile = scratch.join("signer", "state.json");
  const options = { site: "hq", keyFile, stateFile, uid: null, clock: systemClock, ...over };
  const signer = createSignerClient(options);
  return {
    scratch,
    options,
    signer,
    recorder: new RecorderModel(),
    [Symbol.asyncDispose]: async () => {
      await signer.stop();
      scratch[Symbol.dispose]();
    },
  };
}

/** Pids of signer processes that this test process started and that still run. */
export function signerPids(): readonly number[] {
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid)) return [];
    try {
      const parent = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, "utf8"))?.[1];
      const entry = readFileSync(`/proc/${name}/cmdline`, "utf8").includes("signer/main");
      return entry && Number(parent) === process.pid ? [pid] : [];
    } catch {
      return []; // it ended while we looked
    }
  });
}

/** A bare repository that stock git filled with everything that the recorder kept. */
export function auditRepository(
  { scratch, recorder }: Pick<SignerBundle, "scratch" | "recorder">,
  name = "audit",
): string {
  const dir = stockRepository(scratch.join(name), { bare: true });
  for (const { oid, type, body } of recorder.objects.values()) {
    const written = stockGit(dir, ["hash-object", "-w", "-t", type, "--stdin"], { input: body });
    if (written !== oid) throw new Error(`git names ${oid} ${written}`);
  }
  stockGit(dir, ["update-ref", "refs/heads/audit/hq", recorder.commits.at(-1) ?? ""]);
  return dir;
}
