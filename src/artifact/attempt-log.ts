import { canonicalText, type Json, type JsonObject, jsonDefect } from "../base/index.ts";
import type { ObjectArea } from "./object-area.ts";

/** What an attempt said, NDJSON, one object a line. Held in memory (at most the cap) and stored by hash at `close`. */
export interface AttemptLog {
  /** Adds a line after redaction; beyond the cap lines are dropped and counted. Never throws for content. */
  append(line: JsonObject): void;
  /** Stores the text; null where nothing was said. Safe to call twice: the second answer is the first. */
  close(): Promise<{ readonly hash: string; readonly bytes: number } | null>;
}

export interface AttemptLogOptions {
  readonly tenant: string;
  readonly maxBytes: number;
  readonly area: ObjectArea;
  readonly redact: (text: string) => string;
}

/** Room kept for the line that says how many were dropped. */
const closingBytes = 64;

export function createAttemptLog({ tenant, maxBytes, area, redact }: AttemptLogOptions): AttemptLog {
  const lines: Buffer[] = [];
  let bytes = 0;
  let dropped = 0;
  let closed: Promise<{ readonly hash: string; readonly bytes: number } | null> | null = null;
  return {
    append: (line) => {
      if (closed !== null) return;
      const text = Buffer.from(`${lineText(line, redact)}\n`);
      if (dropped > 0 || bytes + text.length > maxBytes - closingBytes) {
        dropped++;
        return;
      }
      lines.push(text);
      bytes += text.length;
    },
    close: () => {
      closed ??= (async () => {
        if (dropped > 0) lines.push(Buffer.from(`${canonicalText({ droppedLines: dropped })}\n`));
        if (lines.length === 0) return null;
        const stored = await area.store(tenant, oneByOne(lines), maxBytes);
        return { hash: stored.sha256, bytes: stored.bytes };
      })();
      return closed;
    },
  };
}

/** Redacted string by string, not in the text: a secret with a quote in it looks different once it is JSON. */
function lineText(line: JsonObject, redact: (text: string) => string): string {
  if (jsonDefect(line) !== null) return canonicalText({ level: "error", message: "a log line that is no I-JSON" });
  return canonicalText(redacted(line, redact));
}

function redacted(value: Json, redact: (text: string) => string): Json {
  if (typeof value === "string") return redact(value);
  if (value === null || typeof value !== "object") return value;
  if (isList(value)) return value.map((item) => redacted(item, redact));
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [redact(key), redacted(member, redact)]));
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

async function* oneByOne(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield* chunks;
}
