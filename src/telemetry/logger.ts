import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";
import type { Redact } from "./redaction.ts";

export type LogFields = Readonly<Record<string, unknown>>;

/** A fixed sentence plus fields, written where the decision is made. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger whose lines all carry `fields` (tenant, dagId, runId, status ...). */
  with(fields: LogFields): Logger;
}

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly redact: Redact;
  readonly destination: DestinationStream;
}

/** JSON lines by pino. A logged error shows its code and message; its cause stays in the process. */
export function createLogger({ level, redact, destination }: LoggerOptions): Logger {
  const root = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: serializeError },
      hooks: { streamWrite: redact },
    },
    destination,
  );
  return wrap(root);
}

function wrap(inner: PinoLogger): Logger {
  return {
    debug: (fields, message) => inner.debug(fields, message),
    info: (fields, message) => inner.info(fields, message),
    warn: (fields, message) => inner.warn(fields, message),
    error: (fields, message) => inner.error(fields, message),
    with: (fields) => wrap(inner.child(fields)),
  };
}

function serializeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = "code" in error ? { code: error.code } : {};
  const cause = error.cause instanceof Error ? { cause: serializeError(error.cause) } : {};
  return { ...code, name: error.name, message: error.message, stack: error.stack, ...cause };
}
