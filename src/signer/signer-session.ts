import { Fault } from "../base/index.ts";
import { fingerprintOf } from "../trust/index.ts";
import { signBatch } from "./batch-commit.ts";
import { refusal } from "./batch-records.ts";
import { nodeTrustCrypto } from "./node-trust-crypto.ts";
import type { SigningKey } from "./private-key.ts";
import type { LastSigned, SignAnswer, SignRequest } from "./sign-request.ts";
import { emptyHead } from "./signed-head.ts";
import type { SignerState, StateFile } from "./signer-state.ts";

/** The signer's one verb, and a look at what it signed last. */
export interface SignerSession {
  sign(request: SignRequest): SignAnswer;
  last(): LastSigned | null;
}

export interface SessionOptions {
  readonly site: string;
  readonly key: SigningKey;
  readonly file: StateFile;
}

/**
 * Signs the next batch after the last one, or the last one again byte for byte; everything else is `SIGNER_REFUSED`.
 * The state is on disk before the answer exists for the caller: whatever dies when, no two commits of one number leave.
 */
export function openSession({ site, key, file }: SessionOptions): SignerSession {
  const fingerprint = fingerprintOf(key.blob, nodeTrustCrypto.sha256);
  let state = file.read() ?? { site, key: fingerprint, head: emptyHead, last: null };
  if (state.site !== site)
    throw new Fault("SIGNER_REFUSED", `the signer's state is of site ${state.site}, not ${site}`);
  if (state.key !== fingerprint) {
    throw new Fault("SIGNER_REFUSED", `the signer's state is of the key ${state.key}, not ${fingerprint}`);
  }
  return {
    sign: (request) => {
      if (state.last !== null && request.batch === state.head.batch) return signAgain(state, request);
      const { head } = state;
      const signed = signBatch(site, key, head, request);
      const next = { site, key: fingerprint, head: signed.head, last: { previous: head, request } };
      file.write(next);
      state = next;
      return signed.answer;
    },
    last: () => lastOf(state),
  };

  function signAgain({ head, last }: SignerState, request: SignRequest): SignAnswer {
    const again = signBatch(site, key, last?.previous ?? emptyHead, request);
    // The commit id covers every byte of tree and records.
    if (again.head.commit !== head.commit) throw refusal(`another batch ${request.batch} is signed already`);
    return again.answer;
  }
}

function lastOf({ head, last }: SignerState): LastSigned | null {
  if (last === null || head.commit === null) return null;
  return { batch: head.batch, commit: head.commit, request: last.request };
}
