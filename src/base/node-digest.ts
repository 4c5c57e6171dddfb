import { createHash } from "node:crypto";
import type { Hex, Sha256 } from "./digest.ts";

/** Node's SHA-256 for the rooms that may touch `node:`. */
export const sha256: Sha256 = (bytes) => createHash("sha256").update(bytes).digest();

/** Hex SHA-256 of UTF-8 text or bytes. */
export const sha256Hex = (input: string | Uint8Array): Hex => createHash("sha256").update(input).digest("hex");
