import { Fault, type Json, type JsonObject, type Service } from "../base/index.ts";
import {
  documentCaps,
  type ExpressionAnswer,
  type ExpressionRequest,
  evaluateExpression,
  type YamlSource,
} from "../spec/index.ts";
import { CapExceeded, CappedPool, type PoolTask } from "./capped-pool.ts";
import {
  type DecodedSpec,
  type InputAnswer,
  type InputRequest,
  type OutputAnswer,
  type OutputRequest,
} from "./tasks.ts";

export interface ComputeOptions {
  readonly threads: number;
  /** Heap of one thread; default 256. */
  readonly heapMb?: number;
  /** Wall time of one expression request; default 2,000. */
  readonly evaluateMs?: number;
  /** Wall time of one input or output check; default 5,000. */
  readonly checkMs?: number;
  /** Wall time of one document; default 5,000. */
  readonly decodeMs?: number;
}

/**
 * The daemon's own threads for work on foreign data: it never blocks the event loop, and whatever hangs or grows is
 * stopped alone. Every method rejects with the signal's reason, or with a retryable Fault when a thread failed.
 */
export interface Compute extends Service {
  /** In the order of the documents. */
  decode(documents: readonly YamlSource[], signal: AbortSignal): Promise<readonly DecodedSpec[]>;
  /** A request without `kind` is a `value`. */
  evaluate(request: ExpressionRequest, signal: AbortSignal): Promise<ExpressionAnswer>;
  checkInput(request: InputRequest, signal: AbortSignal): Promise<InputAnswer>;
  checkOutput(request: OutputRequest, signal: AbortSignal): Promise<OutputAnswer>;
}

const bootMs = 60_000;
const chunkSize = 16;
const defaults = { heapMb: 256, evaluateMs: 2000, checkMs: 5000, decodeMs: 5000 } as const;

export function createCompute(given: ComputeOptions): Compute {
  const options = { ...defaults, ...given };
  let pool: CappedPool | null = null;
  const run = (task: PoolTask, signal: AbortSignal): Promise<unknown> => {
    if (pool === null) throw new Fault("INTERNAL", "compute is not running");
    return pool.run(task, signal);
  };
  return {
    name: "compute",
    start: async () => {
      if (pool !== null) return;
      const started = new CappedPool({ threads: options.threads, heapMb: options.heapMb, bootMs });
      pool = started;
      const warm = { name: "warm", request: null, wallMs: bootMs, bulk: false } as const;
      const never = new AbortController().signal;
      await Promise.all(Array.from({ length: options.threads }, () => started.run(warm, never)));
    },
    stop: async () => {
      const stopping = pool;
      pool = null;
      await stopping?.close();
    },
    decode: async (documents, signal) => decodeAll(documents, options.decodeMs, (task) => run(task, signal)),
    evaluate: async (request, signal) => {
      // Nothing to evaluate: most steps. No thread, no copy.
      if (!JSON.stringify(request.template).includes("${{")) return evaluateExpression(request);
      const task = {
        name: "evaluate",
        request: prunedRequest(request),
        wallMs: options.evaluateMs,
        bulk: false,
      } as const;
      return (await capped(run(task, signal), (cap) => tooCostly(cap))) as ExpressionAnswer;
    },
    checkInput: async (request, signal) => {
      const task = { name: "input", request, wallMs: options.checkMs, bulk: false } as const;
      return (await capped(run(task, signal), (cap) => tooHard("ERR_INPUT_SCHEMA", cap))) as InputAnswer;
    },
    checkOutput: async (request, signal) => {
      const task = { name: "output", request, wallMs: options.checkMs, bulk: false } as const;
      return (await capped(run(task, signal), (cap) => tooHard("ERR_OUTPUT_SCHEMA", cap))) as OutputAnswer;
    },
  };
}

async function capped(answer: Promise<unknown>, otherwise: (cap: "time" | "memory") => unknown): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CapExceeded) return otherwise(error.cap);
    throw error;
  }
}

const tooCostly = (cap: "time" | "memory"): ExpressionAnswer => ({
  ok: false,
  code: "EXPR_COST",
  message: `the evaluation was stopped: over its ${cap} cap`,
});

const tooHard = (
  code: "ERR_INPUT_SCHEMA" | "ERR_OUTPUT_SCHEMA",
  cap: "time" | "memory",
): InputAnswer | OutputAnswer => ({ ok: false, code, message: `the check was stopped: over its ${cap} cap` });

type Run = (task: PoolTask) => Promise<unknown>;

async function decodeAll(documents: readonly YamlSource[], wallMs: number, run: Run): Promise<readonly DecodedSpec[]> {
  const chunks: (readonly YamlSource[])[] = [];
  for (let at = 0; at < documents.length; at += chunkSize) chunks.push(documents.slice(at, at + chunkSize));
  const decoded = await Promise.all(chunks.map((chunk) => decodeChunk(chunk, wallMs, run)));
  return decoded.flat();
}

async function decodeChunk(chunk: readonly YamlSource[], wallMs: number, run: Run): Promise<readonly DecodedSpec[]> {
  const request = chunk.map(sendable);
  try {
    return (await run({ name: "decode", request, wallMs, bulk: true })) as readonly DecodedSpec[];
  } catch (error) {
    if (!(error instanceof CapExceeded)) throw error;
    const [only] = chunk;
    if (chunk.length === 1 && only !== undefined) return [unreadable(only, error.cap)];
    // One of them is the culprit: the others are not held for it.
    const alone = await Promise.all(chunk.map((document) => decodeChunk([document], wallMs, run)));
    return alone.flat();
  }
}

/** Own bytes: cloning a view of a pooled Buffer would copy the whole pool. What is refused for its size is not sent. */
function sendable({ path, bytes }: YamlSource): YamlSource {
  return { path, bytes: new Uint8Array(bytes.subarray(0, documentCaps.hardBytes + 1)) };
}

function unreadable({ path }: YamlSource, cap: "time" | "memory"): DecodedSpec {
  const message = `reading it was stopped: over its ${cap} cap`;
  const fix = "Make it smaller or simpler.";
  return {
    ok: false,
    findings: [{ code: "SPEC_TOO_LARGE", severity: "error", path, line: 0, col: 0, pointer: "", message, fix }],
  };
}

/** Without the outputs that no word of the template names: a run's outputs may be 16 MB, and each request is copied. */
function prunedRequest(request: ExpressionRequest): ExpressionRequest {
  const { steps } = request.scope;
  if (typeof steps !== "object" || steps === null || Array.isArray(steps)) return request;
  const words = new Set(JSON.stringify(request.template).match(/[A-Za-z_]\w*/g));
  const named = Object.entries(steps as JsonObject).filter(([stepId]) => words.has(stepId));
  const kept = named.map(([stepId, step]): readonly [string, Json] => {
    const { outputs, ...rest } = step as { readonly outputs?: Json };
    return [stepId, outputs === undefined || !words.has("outputs") ? rest : { ...rest, outputs }];
  });
  return { ...request, scope: { ...request.scope, steps: Object.fromEntries(kept) } };
}
