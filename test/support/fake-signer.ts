import { isDeepStrictEqual } from "node:util";
import { Fault } from "../../src/base/index.ts";
import { sha256 } from "../../src/base/node-digest.ts";
import { signBatch } from "../../src/signer/batch-commit.ts";
import type {
  LastSigned,
  RecorderKey,
  SignAnswer,
  SignerClient,
  SigningKey,
  SignRequest,
} from "../../src/signer/index.ts";
import { emptyHead, type SignedHead } from "../../src/signer/signed-head.ts";
import { fingerprintOf, publicKeyLine } from "../../src/trust/index.ts";

/** The signer without its process: the real checks and signatures, its state in memory. It outlives recorders. */
export class FakeSigner implements Pick<SignerClient, "sign" | "last" | "publicKey"> {
  readonly publicKey: RecorderKey;
  readonly #site: string;
  readonly #key: SigningKey;
  #before: SignedHead = emptyHead;
  #head: SignedHead = emptyHead;
  #last: LastSigned | null = null;

  constructor(site: string, key: SigningKey) {
    this.#site = site;
    this.#key = key;
    const { blob } = key;
    this.publicKey = { blob, line: publicKeyLine(blob), fingerprint: fingerprintOf(blob, sha256) };
  }

  async sign(request: SignRequest): Promise<SignAnswer> {
    await Promise.resolve();
    if (this.#last?.batch === request.batch) {
      if (!isDeepStrictEqual(plain(request), plain(this.#last.request))) {
        throw new Fault("SIGNER_REFUSED", "the signer refused: another batch of this number was signed");
      }
      return signBatch(this.#site, this.#key, this.#before, request).answer;
    }
    const { answer, head } = signBatch(this.#site, this.#key, this.#head, request);
    this.#before = this.#head;
    this.#head = head;
    this.#last = { batch: request.batch, commit: answer.commit.oid, request };
    return answer;
  }

  last(): Promise<LastSigned | null> {
    return Promise.resolve(this.#last);
  }
}

/** Buffers and arrays of the same bytes are equal. */
function plain(request: SignRequest): unknown {
  return JSON.parse(
    JSON.stringify(request, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
    ),
  );
}
