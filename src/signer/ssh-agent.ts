import { connect } from "node:net";
import { Fault } from "../base/index.ts";
import {
  armorSshsig,
  ed25519Type,
  fingerprintOf,
  keyTypeOf,
  parsed,
  verifySshsig,
  WireReader,
  wireString,
  wireUint32,
} from "../trust/index.ts";
import { sshsigData } from "./message-signature.ts";
import { nodeTrustCrypto } from "./node-trust-crypto.ts";

// draft-ietf-sshm-ssh-agent, section 5.1.
const requestIdentities = 11;
const identitiesAnswer = 12;
const signRequest = 13;
const signResponse = 14;
const maxAnswerBytes = 256 * 1024;
/** An agent may ask its person to confirm. */
const answerTimeoutMs = 60_000;

export interface AgentKey {
  readonly blob: Uint8Array;
  readonly type: string;
  readonly comment: string;
}

/** Signs for a person whose key stays in ssh-agent. */
export interface AgentSigner {
  readonly blob: Uint8Array;
  /** Armored SSHSIG, checked before it is returned. */
  sign(namespace: string, message: Uint8Array): Promise<string>;
}

/** All keys that the agent offers, in its order. `KEY_UNREADABLE` where no agent answers. */
export async function listAgentKeys(socketPath: string): Promise<readonly AgentKey[]> {
  const answer = await ask(socketPath, Buffer.of(requestIdentities));
  const keys = parsed(() => {
    const reader = answerReader(answer, identitiesAnswer);
    if (reader === null) return null;
    const listed: AgentKey[] = [];
    for (let left = reader.uint32(); left > 0; left--) {
      const blob = Uint8Array.from(reader.string());
      listed.push({ blob, type: keyTypeOf(blob), comment: Buffer.from(reader.string()).toString("utf8") });
    }
    return listed;
  });
  if (!keys.ok || keys.value === null) throw agentFault(socketPath, "it does not list its keys");
  return keys.value;
}

/** A signer by the agent's key `blob`; ed25519 alone, so that its signatures verify here. */
export function agentSigner(socketPath: string, blob: Uint8Array): AgentSigner {
  if (keyTypeOf(blob) !== ed25519Type) {
    throw new Fault("KEY_UNREADABLE", `ssh-agent key of type ${keyTypeOf(blob)}: only ssh-ed25519 signs`);
  }
  return { blob, sign: (namespace, message) => signByAgent({ socketPath, blob, namespace, message }) };
}

async function signByAgent(request: {
  readonly socketPath: string;
  readonly blob: Uint8Array;
  readonly namespace: string;
  readonly message: Uint8Array;
}): Promise<string> {
  const { socketPath, blob, namespace, message } = request;
  const data = sshsigData(namespace, message);
  const body = Buffer.concat([Buffer.of(signRequest), wireString(blob), wireString(data), wireUint32(0)]);
  const answer = await ask(socketPath, body);
  const signature = parsed(() => {
    const reader = answerReader(answer, signResponse);
    if (reader === null) return null;
    const inner = new WireReader(reader.string());
    return { algorithm: inner.name(), raw: inner.string() };
  });
  const fingerprint = fingerprintOf(blob, nodeTrustCrypto.sha256);
  if (!signature.ok || signature.value === null) throw agentFault(socketPath, `it does not sign with ${fingerprint}`);
  const armored = armorSshsig({ blob, namespace, hash: "sha512", ...signature.value });
  const verdict = verifySshsig(nodeTrustCrypto, { armored, message, namespace });
  if (!verdict.ok) throw agentFault(socketPath, `its signature by ${fingerprint} does not verify: ${verdict.reason}`);
  return armored;
}

function answerReader(answer: Uint8Array, expected: number): WireReader | null {
  return answer[0] === expected ? new WireReader(answer.subarray(1)) : null;
}

const agentFault = (socketPath: string, reason: string, cause?: unknown): Fault =>
  new Fault("KEY_UNREADABLE", `ssh-agent at ${socketPath}: ${reason}`, { cause });

function ask(socketPath: string, body: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const fail = (reason: string, cause?: unknown): void => {
      socket.destroy();
      reject(agentFault(socketPath, reason, cause));
    };
    let received = Buffer.alloc(0);
    socket.setTimeout(answerTimeoutMs, () => fail("it does not answer"));
    socket.on("error", (error) => fail("it cannot be reached", error));
    socket.on("close", () => fail("it closed the connection"));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4) return;
      const length = received.readUInt32BE(0);
      if (length > maxAnswerBytes) fail("its answer is too long");
      if (received.length < 4 + length) return;
      resolve(received.subarray(4, 4 + length));
      socket.destroy();
    });
    socket.write(wireString(body));
  });
}
