import { workerData } from "node:worker_threads";
import { type ExpressionAnswer, type ExpressionRequest, evaluateExpression, type YamlSource } from "../spec/index.ts";
import {
  checkInput,
  checkOutput,
  type DecodedSpec,
  decodeSpec,
  type InputAnswer,
  type InputRequest,
  type OutputAnswer,
  type OutputRequest,
} from "./tasks.ts";

// A thread sees nothing of the daemon's environment. A plain object, too: `yaml` asks it at every token, and an environment
// of the system's costs more than the token.
process.env = {};

// Entry of a piscina thread: one export per task. piscina hands its workerData on as the second element.

/** What the pool sends: the slot whose clock this task runs on. */
export interface ThreadTask<Request> {
  readonly slot: number;
  readonly request: Request;
}

/** Nanoseconds of the machine's monotonic clock at which each slot's task began; the pool's deadlines read it. */
const started = startedClock(workerData);

function startedClock(data: unknown): BigInt64Array | null {
  const own: unknown = Array.isArray(data) ? data[1] : data;
  return own instanceof SharedArrayBuffer ? new BigInt64Array(own) : null;
}

function begin({ slot }: ThreadTask<unknown>): void {
  if (started !== null) Atomics.store(started, slot, process.hrtime.bigint());
}

export function decode(task: ThreadTask<readonly YamlSource[]>): readonly DecodedSpec[] {
  begin(task);
  return task.request.map(decodeSpec);
}

export function evaluate(task: ThreadTask<ExpressionRequest>): ExpressionAnswer {
  begin(task);
  return evaluateExpression(task.request);
}

export function input(task: ThreadTask<InputRequest>): InputAnswer {
  begin(task);
  return checkInput(task.request);
}

export function output(task: ThreadTask<OutputRequest>): OutputAnswer {
  begin(task);
  return checkOutput(task.request);
}

/** Brings a thread up: modules loaded, schemas compiled, so that the first real task is not the slow one. */
export function warm(task: ThreadTask<null>): null {
  begin(task);
  const text = (kind: string): Uint8Array =>
    new TextEncoder().encode(`apiVersion: orrery/v1\nkind: ${kind}\nspec: {}\n`);
  decodeSpec({ path: "orrery.yaml", bytes: text("Repository") });
  // The largest schema, and hardly a first task without one.
  decodeSpec({ path: "tenants/a/dags/a.yaml", bytes: text("Dag") });
  return null;
}
