import type { Context } from "../../sdk.ts";

const levels = {
  debug: "debug",
  trace: "debug",
  log: "info",
  info: "info",
  warn: "warn",
  error: "error",
} as const;

/** `console` writes into the step's log. */
export function consoleOf(log: Context["log"]): Record<string, unknown> {
  const lines = Object.entries(levels).map(([name, level]) => [
    name,
    (...parts: unknown[]) => log(level, parts.map(shown).join(" ")),
  ]);
  return Object.freeze(Object.fromEntries(lines) as Record<string, unknown>);
}

function shown(part: unknown): string {
  if (typeof part === "string") return part;
  try {
    if (part instanceof Error) return `${part.name}: ${part.message}`;
    const text: unknown = JSON.stringify(part);
    return typeof text === "string" ? text : String(part);
  } catch {
    return "[unprintable]";
  }
}
