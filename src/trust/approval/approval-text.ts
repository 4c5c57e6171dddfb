import { bytesOfText, canonicalText, type Hex, hexOf, type Json, parseCanonical } from "../../base/index.ts";
import { type Parsed, parsed, WireDefect } from "../signature/ssh-wire.ts";
import type { TrustCrypto } from "../signature/trust-crypto.ts";

/** What an approver signs: the plan from `base` to `head`, by its hash. */
export interface ApprovalStatement {
  readonly planHash: Hex;
  readonly base: string;
  readonly head: string;
  readonly verdict: "approve" | "reject";
  readonly reason: string;
}

export interface Approval extends ApprovalStatement {
  /** Of the blob: its name. */
  readonly sha256: Hex;
  /** The bytes that are signed. */
  readonly signed: Uint8Array;
  readonly armored: string;
}

/** A ref `refs/orrery/approvals/<head>/<sha256>` and what it points at; bytes null where that is not a small blob. */
export interface StoredApproval {
  readonly head: string;
  readonly sha256: string;
  readonly bytes: Uint8Array | null;
}

export const approvalRefPrefix = "refs/orrery/approvals/";
/** A reason of 2,000 characters and a signature by a big RSA key. */
export const maxApprovalBytes = 32 * 1024;
/** How many approval refs are looked at, in byte order: whoever can push could push millions. */
export const maxApprovals = 10_000;
export const maxReasonChars = 2000;

export const approvalRefOf = (head: string, sha256: Hex): string => `${approvalRefPrefix}${head}/${sha256}`;

/** What is signed: JCS of the statement. */
export const statementBytes = ({ planHash, base, head, verdict, reason }: ApprovalStatement): Uint8Array =>
  bytesOfText(canonicalText({ planHash, base, head, verdict, reason }));

/** The blob: what is signed, LF, the armored signature over it. */
export const approvalBlob = (statement: ApprovalStatement, armored: string): Uint8Array =>
  bytesOfText(`${canonicalText({ ...statement })}\n${armored}`);

/** Reads a stored approval; says why it is none. The signature is not looked at. */
export function readApproval({ head, sha256, bytes }: StoredApproval, crypto: TrustCrypto): Parsed<Approval> {
  return parsed(() => {
    if (bytes === null || bytes.length > maxApprovalBytes) throw new WireDefect("the ref points at no small blob");
    if (hexOf(crypto.sha256(bytes)) !== sha256) throw new WireDefect("the ref is not named by the SHA-256 of its blob");
    const text = textOf(bytes);
    const end = text.indexOf("\n");
    const statement = statementOf(text.slice(0, Math.max(0, end)));
    if (statement.head !== head) throw new WireDefect("the ref names another head than the statement");
    return { ...statement, sha256, signed: statementBytes(statement), armored: text.slice(end + 1) };
  });
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new WireDefect("it is not UTF-8");
  }
}

function statementOf(line: string): ApprovalStatement {
  const value = canonicalOf(line);
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const members = isObject ? (value as Readonly<Record<string, Json>>) : {};
  const { planHash, base, head, verdict, reason } = members;
  const fits =
    Object.keys(members).length === 5 &&
    [planHash].every((text) => typeof text === "string" && /^[0-9a-f]{64}$/.test(text)) &&
    [base, head].every((text) => typeof text === "string" && /^[0-9a-f]{40}$/.test(text)) &&
    (verdict === "approve" || verdict === "reject") &&
    typeof reason === "string" &&
    reason.length >= 1 &&
    reason.length <= maxReasonChars;
  if (!fits) throw new WireDefect("it is no statement of planHash, base, head, verdict, reason");
  return members as unknown as ApprovalStatement;
}

function canonicalOf(line: string): Json {
  const read = parseCanonical(line);
  if (read === null) throw new WireDefect("its first line is not canonical JSON");
  return read.value;
}
