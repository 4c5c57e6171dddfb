import { type Clock, systemClock } from "../../src/base/index.ts";
import { createGitWriter, type DurableFs, type GitRepository, openRepository } from "../../src/git/index.ts";
import { type AuditReport, auditHistory, verifyAudit } from "../../src/record/index.ts";
import {
  auditRef,
  createRecorder,
  type Recorder,
  type RecorderState,
  recorderDefaults,
} from "../../src/recorder/index.ts";
import { nodeTrustCrypto } from "../../src/signer/index.ts";
import { recordCheck, recorderKey, signersTextOf, testRuntime } from "./audit-fixtures.ts";
import { FakeOutbox } from "./fake-outbox.ts";
import { FakeSigner } from "./fake-signer.ts";
import { silentLog } from "./silent-log.ts";

export const site = "hq";
export const branch = auditRef(site);

/** What outlives a recorder: the database and the signer's state. */
export interface Lasting {
  readonly outbox: FakeOutbox;
  readonly signer: FakeSigner;
}

export function lasting(clock: Clock = systemClock): Lasting {
  return {
    outbox: new FakeOutbox(() => clock.now().toISOString()),
    signer: new FakeSigner(site, recorderKey),
  };
}

export interface RecorderSetup extends Lasting {
  readonly clock?: Clock;
  readonly fs?: DurableFs;
  readonly maxRecords?: number;
  readonly maxWaitMs?: number;
  readonly burst?: number;
  readonly clockIsSuspect?: () => boolean;
  readonly onState?: (state: RecorderState) => void;
}

/** A recorder over a real repository. */
export function recorderOver(repository: GitRepository, setup: RecorderSetup): Recorder {
  const { outbox, signer, clock = systemClock, fs, maxRecords = 1000, maxWaitMs = 5000 } = setup;
  const random = (): number => 0.5;
  return createRecorder(
    {
      outbox,
      signer,
      repository,
      writer: createGitWriter(repository, fs === undefined ? { random } : { fs, random }),
      clock,
      random,
      clockIsSuspect: setup.clockIsSuspect ?? (() => false),
      log: silentLog,
      onState: setup.onState ?? (() => undefined),
    },
    { ...recorderDefaults, site, runtime: testRuntime, maxRecords, maxWaitMs, burst: setup.burst ?? 60 },
  );
}

/** The verdict of our own verifier over a repository's branch. */
export function verdictOn(dir: string, witness: string | null = null): AuditReport {
  using repository = openRepository(dir);
  const head = repository.readRef(branch);
  const commits = head === null ? [] : auditHistory(repository, head);
  const options = { crypto: nodeTrustCrypto, signersText: signersTextOf(site), check: recordCheck, site, witness };
  return verifyAudit({ ...repository, commits }, options);
}
