import { countField, FieldDefect, type Fields, fieldsOf, nullOr, textField } from "./wire-fields.ts";

/**
 * The pipe between client and signer, one frame each way per verb:
 *
 *   client -> {id, verb: "open", body: SignerOpening}   signer -> {id, ok: {publicKey: base64 of the wire form}}
 *   client -> {id, verb: "sign", body: SignRequest}     signer -> {id, ok: SignAnswer}
 *   client -> {id, verb: "last", body: null}            signer -> {id, ok: LastSigned | null}
 *
 * or {id, fault: {code, message}}. Bytes travel as base64. `open` comes first and once; end of input ends the signer.
 */
export interface SignerCall {
  readonly id: number;
  readonly verb: "open" | "sign" | "last";
  readonly body: unknown;
}

export interface SignerOpening {
  readonly site: string;
  readonly keyFile: string;
  readonly stateFile: string;
  /** Numeric uid and gid that the signer takes when it starts as root; null = it keeps its own. */
  readonly uid: number | null;
}

export type SignerReply =
  | { readonly id: number; readonly ok: unknown }
  | { readonly id: number; readonly fault: { readonly code: string; readonly message: string } };

export function decodeCall(value: unknown): SignerCall {
  const fields = fieldsOf(value, ["id", "verb", "body"]);
  const verb = fields["verb"];
  if (verb !== "open" && verb !== "sign" && verb !== "last") throw new FieldDefect("unknown verb");
  return { id: countField(fields, "id"), verb, body: fields["body"] };
}

export function decodeOpening(value: unknown): SignerOpening {
  const fields = fieldsOf(value, ["site", "keyFile", "stateFile", "uid"]);
  return {
    site: textField(fields, "site"),
    keyFile: textField(fields, "keyFile"),
    stateFile: textField(fields, "stateFile"),
    uid: nullOr(fields, "uid", countField),
  };
}

export function decodeReply(value: unknown): SignerReply {
  const failed = typeof value === "object" && value !== null && "fault" in value;
  const fields: Fields = fieldsOf(value, ["id", failed ? "fault" : "ok"]);
  const id = countField(fields, "id");
  if (!failed) return { id, ok: fields["ok"] };
  const fault = fieldsOf(fields["fault"], ["code", "message"]);
  return { id, fault: { code: textField(fault, "code"), message: textField(fault, "message") } };
}
