import { Fault } from "../base/index.ts";

/** SQLSTATEs that our own functions raise. */
const fencedState = "OR001";

/** The SQLSTATE of an error of the driver, else null. */
function sqlStateOf(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return null;
  return /^[0-9A-Z]{5}$/.test(error.code) ? error.code : null;
}

const conflicts = new Set(["40001", "40P01", "55P03"]);
const socketErrors = new Set(["ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN"]);

/** Foreign errors stop here: above the plant nobody has heard of SQLSTATE. */
export function databaseFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const state = sqlStateOf(error);
  if (state === null) {
    return isLostConnection(error) ? unavailable(error) : new Fault("INTERNAL", "internal error", { cause: error });
  }
  if (state === fencedState) return new Fault("WORKER_FENCED", "the worker lost its lease", { cause: error });
  if (conflicts.has(state)) return new Fault("STORE_CONFLICT", "another writer was first", { cause: error });
  // 53: out of disk, memory or connections; 57014: a statement over its time; 57P: shutdown; 08: the wire.
  if (/^(?:08|53|57P|57014|58)/.test(state)) return unavailable(error);
  if (isContent(error)) return new Fault("DATABASE_CONTENT", "a value that the database cannot keep", { cause: error });
  return new Fault("INTERNAL", "internal error", { cause: error });
}

/** Data exceptions and broken constraints: the fault of a value, not of the world. */
function isContent(error: unknown): boolean {
  return /^(?:22|23)/.test(sqlStateOf(error) ?? "");
}

function unavailable(cause: unknown): Fault {
  return new Fault("DATABASE_UNAVAILABLE", "the database does not answer", { cause });
}

// The driver throws plain errors for its own time-outs and for a socket that closed.
function isLostConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ("code" in error && typeof error.code === "string" && socketErrors.has(error.code)) return true;
  return /connection terminated|timeout expired|timeout exceeded|not queryable|connection error|client was closed|read timeout/i.test(
    error.message,
  );
}
