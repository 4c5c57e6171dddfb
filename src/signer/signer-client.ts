import { type Clock, Fault, type Service } from "../base/index.ts";
import { fingerprintOf, publicKeyLine } from "../trust/index.ts";
import { nodeTrustCrypto } from "./node-trust-crypto.ts";
import { decodeAnswer, decodeLast, encodeRequest } from "./sign-codec.ts";
import { type LastSigned, maxSignRequestBytes, type SignAnswer, type SignRequest } from "./sign-request.ts";
import { SignerProcess } from "./signer-process.ts";
import type { SignerCall, SignerOpening } from "./signer-verbs.ts";
import { bytesField, fieldsOf } from "./wire-fields.ts";

export interface SignerOptions extends SignerOpening {
  readonly clock: Clock;
}

export interface RecorderKey {
  /** Wire form. */
  readonly blob: Uint8Array;
  /** `ssh-ed25519 AAAA…`, as in sites/<site>.yaml. */
  readonly line: string;
  readonly fingerprint: string;
}

export interface SignerClient extends Service {
  /** Known once started. */
  readonly publicKey: RecorderKey;
  /**
   * Signs the next batch, or the last one again. Faults: `SIGNER_REFUSED` (for ever, with the reason); `SIGNER_LOST`
   * (the process died or hangs: ask again, the same request gives the same bytes).
   */
  sign(request: SignRequest): Promise<SignAnswer>;
  /** What it signed last; null before batch 1. For the recorder's start. */
  last(): Promise<LastSigned | null>;
}

/** A batch takes milliseconds; a disk that hangs in fsync can take long. */
const answerTimeoutMs = 60_000;

/**
 * The key's process and its client. The process is started again when a call finds it dead.
 * As root give a `uid` of its own: then key file and state directory belong to that uid alone.
 */
export function createSignerClient(options: SignerOptions): SignerClient {
  return new Client(options);
}

class Client implements SignerClient {
  readonly name = "signer";
  readonly #options: SignerOptions;
  #started = false;
  #process: SignerProcess | null = null;
  #publicKey: RecorderKey | null = null;
  /** Calls go one after another: a second one must not find a half-opened process. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SignerOptions) {
    this.#options = options;
  }

  get publicKey(): RecorderKey {
    if (this.#publicKey === null) throw new Fault("INTERNAL", "the signer has not started");
    return this.#publicKey;
  }

  async start(): Promise<void> {
    this.#started = true;
    await this.#inTurn(() => this.#open());
  }

  async stop(): Promise<void> {
    this.#started = false;
    await this.#inTurn(async () => {
      const process = this.#process;
      this.#process = null;
      if (process !== null) await this.#inTime(process, process.end());
    });
  }

  async sign(request: SignRequest): Promise<SignAnswer> {
    const bytes = [...request.files.map((file) => file.bytes), ...request.parentTrees.map((tree) => tree.body)];
    if (bytes.reduce((sum, { length }) => sum + length, 0) > maxSignRequestBytes) {
      throw new Fault("SIGNER_REFUSED", `batch ${request.batch} is over ${maxSignRequestBytes} bytes`);
    }
    return decodeAnswer(await this.#call("sign", encodeRequest(request)));
  }

  async last(): Promise<LastSigned | null> {
    return decodeLast(await this.#call("last", null));
  }

  #call(verb: SignerCall["verb"], body: unknown): Promise<unknown> {
    return this.#inTurn(async () => {
      const process = await this.#open();
      return this.#inTime(process, process.call(verb, body));
    });
  }

  async #open(): Promise<SignerProcess> {
    if (!this.#started) throw new Fault("SIGNER_LOST", "the signer is stopped");
    if (this.#process?.alive === true) return this.#process;
    const process = new SignerProcess();
    try {
      const { site, keyFile, stateFile, uid } = this.#options;
      const opened = await this.#inTime(process, process.call("open", { site, keyFile, stateFile, uid }));
      this.#publicKey = recorderKey(bytesField(fieldsOf(opened, ["publicKey"]), "publicKey"));
      this.#process = process;
      return process;
    } catch (error) {
      await process.end();
      throw error;
    }
  }

  /** Kills a process that does not answer: the state file decides what it did. */
  async #inTime<T>(process: SignerProcess, work: Promise<T>): Promise<T> {
    const done = new AbortController();
    const watchdog = this.#options.clock.sleep(answerTimeoutMs, done.signal).then(
      () => process.kill("it does not answer"),
      () => undefined,
    );
    try {
      return await work;
    } finally {
      done.abort();
      await watchdog;
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

function recorderKey(blob: Uint8Array): RecorderKey {
  return { blob, line: publicKeyLine(blob), fingerprint: fingerprintOf(blob, nodeTrustCrypto.sha256) };
}
