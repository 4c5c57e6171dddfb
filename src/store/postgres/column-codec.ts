import { Fault, type Hex, type UtcText, utcText } from "../../base/index.ts";

const sha256Text = /^[0-9a-f]{64}$/;
const uuidText = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const instantText = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

export const isHash = (text: string): boolean => sha256Text.test(text);
export const isUuid = (text: string): boolean => uuidText.test(text);
export const isInstant = (text: string): boolean => instantText.test(text) && !Number.isNaN(Date.parse(text));
export const isInt32 = (value: number): boolean => Number.isInteger(value) && value >= 0 && value < 2 ** 31;

/** A hash as a bytea parameter. Fault DATABASE_CONTENT for what is none. */
export function hashBytes(hex: Hex): Buffer {
  if (!isHash(hex)) throw new Fault("DATABASE_CONTENT", "not a SHA-256");
  return Buffer.from(hex, "hex");
}

/** A hash as bytea inside a JSON parameter. */
export const hashInJson = (hex: Hex): string => `\\x${hex}`;

export const hexOfBytes = (bytes: Buffer): Hex => bytes.toString("hex");

export const utcOrNull = (at: Date | null): UtcText | null => (at === null ? null : utcText(at));
