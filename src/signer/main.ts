// The signer's process: frames on stdin, answers on stdout, nothing else in or out. It ends with its input.
import { exitCodes, Fault, faultOf } from "../base/index.ts";
import { refusal } from "./batch-records.ts";
import { encodeFrame, FrameReader } from "./frame.ts";
import { decodeRequest, encodeAnswer, encodeLast } from "./sign-codec.ts";
import { openSigner } from "./signer-door.ts";
import type { SignerSession } from "./signer-session.ts";
import { decodeCall, decodeOpening, type SignerCall, type SignerReply } from "./signer-verbs.ts";
import { FieldDefect } from "./wire-fields.ts";

let session: SignerSession | null = null;

// Ctrl-C reaches the whole process group, but the last batch is still to come: only the end of input ends the signer.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

const frames = new FrameReader();
for await (const chunk of process.stdin) {
  for (const message of frames.push(chunk as Buffer)) {
    const reply = answerTo(message);
    process.stdout.write(encodeFrame(reply));
    // What we remember may not be what is on disk: the next process reads it anew.
    if ("fault" in reply && reply.fault.code !== "SIGNER_REFUSED") process.exit(exitCodes.bug);
  }
}

function answerTo(message: unknown): SignerReply {
  const call = decodeCall(message);
  try {
    return { id: call.id, ok: act(call) };
  } catch (error) {
    const fault = error instanceof FieldDefect ? refusal(`malformed ${call.verb}: ${error.message}`) : faultOf(error);
    // The client is the only one who can tell it: `cause` itself never leaves a process.
    if (fault.cause instanceof Error) process.stderr.write(`${fault.cause.stack ?? fault.cause.message}\n`);
    return { id: call.id, fault: { code: fault.code, message: fault.message } };
  }
}

function act({ verb, body }: SignerCall): unknown {
  if (verb === "open") return open(body);
  if (session === null) throw new Fault("SIGNER_REFUSED", "the signer is not open");
  if (verb === "last") return encodeLast(session.last());
  return encodeAnswer(session.sign(decodeRequest(body)));
}

function open(body: unknown): unknown {
  if (session !== null) throw new Fault("SIGNER_REFUSED", "the signer is open already");
  const opened = openSigner(decodeOpening(body));
  session = opened.session;
  return { publicKey: Buffer.from(opened.key.blob).toString("base64") };
}
