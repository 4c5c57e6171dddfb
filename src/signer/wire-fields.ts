/** Thrown for a message or state file that is not of our making. */
export class FieldDefect extends Error {}

export type Fields = Readonly<Record<string, unknown>>;

/** An object with exactly these members. */
export function fieldsOf(value: unknown, names: readonly string[]): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new FieldDefect("not an object");
  const found = Object.keys(value);
  const unknown = found.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new FieldDefect(`unknown member ${JSON.stringify(unknown.slice(0, 40))}`);
  const missing = names.find((name) => !found.includes(name));
  if (missing !== undefined) throw new FieldDefect(`member ${missing} is missing`);
  return value as Fields;
}

export function textField(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== "string") throw new FieldDefect(`${name} is no text`);
  return value;
}

/** A whole number from 0 to 2^53-1. */
export function countField(fields: Fields, name: string): number {
  const value = fields[name];
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new FieldDefect(`${name} is no whole number`);
  return value as number;
}

/** Bytes as base64. */
export function bytesField(fields: Fields, name: string): Buffer {
  const text = textField(fields, name);
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) throw new FieldDefect(`${name} is no base64`);
  return bytes;
}

export function listField<T>(fields: Fields, name: string, decode: (item: unknown) => T): readonly T[] {
  const value = fields[name];
  if (!Array.isArray(value)) throw new FieldDefect(`${name} is no list`);
  return value.map(decode);
}

export function nullOr<T>(fields: Fields, name: string, read: (fields: Fields, name: string) => T): T | null {
  return fields[name] === null ? null : read(fields, name);
}

export function matchingField(fields: Fields, name: string, pattern: RegExp): string {
  const text = textField(fields, name);
  if (!pattern.test(text)) throw new FieldDefect(`${name} is malformed`);
  return text;
}
