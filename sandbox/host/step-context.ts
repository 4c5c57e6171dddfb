import type { StepFacts } from "../control-frame.ts";
import type { ArtifactReference, Context, DeclaredFile } from "../sdk.ts";
import { stepError } from "./step-error.ts";
import type { StepLink } from "./step-link.ts";

export interface ContextParts {
  readonly facts: StepFacts;
  readonly files: readonly DeclaredFile[];
  readonly link: StepLink;
  readonly signal: AbortSignal;
  readonly wallClock: () => Date;
  readonly encode: (text: string) => Uint8Array;
  /** Only a host of its own is lent any. */
  readonly secrets: Readonly<Record<string, string>>;
}

const maxLogBytes = 1024 * 1024;
const maxLogMessageChars = 8_000;
const maxLogFieldsChars = 32_000;

/** Builds `ctx`. Runs inside the realm, so that no object of the host is in the plugin's reach. */
export function stepContext(parts: ContextParts): Context {
  const { facts, link } = parts;
  const context: Context = {
    tenant: facts.tenant,
    dagId: facts.dagId,
    runId: facts.runId,
    stepId: facts.stepId,
    index: facts.index,
    attempt: facts.attempt,
    idempotencyKey: facts.idempotencyKey,
    traceparent: facts.traceparent,
    baggage: Object.freeze({}),
    now: facts.now,
    signal: parts.signal,
    secrets: Object.freeze({ ...parts.secrets }),
    files: Object.freeze(filesOf(parts)),
    artifacts: Object.freeze(artifactsOf(parts)),
    log: logOf(link),
    ...(facts.network ? { wallClock: parts.wallClock } : {}),
  };
  return Object.freeze(context);
}

function filesOf({ files, link }: ContextParts): Context["files"] {
  const listed = Object.freeze(files.map((file) => Object.freeze({ ...file })));
  return {
    list: () => listed,
    read: (path: unknown) => gather(link.read("file", String(path))),
    stream: (path: unknown) => link.read("file", String(path)),
  };
}

function artifactsOf({ link, encode }: ContextParts): Context["artifacts"] {
  return {
    read: (reference: { readonly artifact: unknown }) => gather(link.read("artifact", String(reference.artifact))),
    stream: (reference: { readonly artifact: unknown }) => link.read("artifact", String(reference.artifact)),
    write: (content, mediaType: unknown): Promise<ArtifactReference> => {
      const chunks = typeof content === "string" ? once(encode(content)) : isBytes(content) ? once(content) : content;
      return link.write(chunks, String(mediaType));
    },
  };
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield await Promise.resolve(bytes);
}

async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.length;
  }
  const only = parts[0];
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Lines are cut, their sum is capped: the excess ends the step with STEP_FLOOD. */
function logOf(link: StepLink): Context["log"] {
  let logged = 0;
  return (level, message: unknown, fields) => {
    const line = String(message).slice(0, maxLogMessageChars).toWellFormed();
    const fieldsText = fieldsOf(fields);
    logged += line.length + fieldsText.length;
    // One line past the cap still goes: the main thread counts too and ends the step by it.
    link.log(levels.has(level) ? level : "info", line, fieldsText);
    if (logged > maxLogBytes) throw stepError("STEP_FLOOD", "more than 1 MiB of log lines");
  };
}

const levels = new Set(["debug", "info", "warn", "error"]);

function fieldsOf(fields: unknown): string {
  if (fields === undefined || fields === null) return "{}";
  try {
    const text = JSON.stringify(fields) as string | undefined;
    if (text?.startsWith("{") === true && text.length <= maxLogFieldsChars) return text;
  } catch {
    // Cyclic, BigInt or a getter that throws.
  }
  return '{"dropped":"fields are no JSON object or too long"}';
}
