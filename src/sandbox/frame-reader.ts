import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { maxFrameBytes, type UpFrame } from "./control-frame.ts";

/** Why a host is killed: what it sent is no frame of the contract. */
export class FrameViolation extends Error {}

const newline = 10;
const upKinds: ReadonlySet<unknown> = new Set<UpFrame["t"]>([
  "ready",
  "bound",
  "log",
  "read",
  "write",
  "more",
  "chunk",
  "output",
  "failed",
]);

/**
 * Each kind is compiled when the first of it comes, and alone: the whole schema, checked against its draft first, held up
 * the first frame of every process by 100 ms. A test checks it instead.
 */
function compiler(): (kind: string) => ValidateFunction {
  const path = new URL("../../schemas/control-frame.schema.json", import.meta.url);
  const { $defs } = JSON.parse(readFileSync(path, "utf8")) as { readonly $defs: Readonly<Record<string, object>> };
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, validateSchema: false, meta: false });
  const compiled = new Map<string, ValidateFunction>();
  return (kind) => {
    const known = compiled.get(kind);
    if (known !== undefined) return known;
    const validate = ajv.compile({ ...$defs[kind], $defs });
    compiled.set(kind, validate);
    return validate;
  };
}

let validatorOf: ((kind: string) => ValidateFunction) | null = null;

/** One line of a host, checked against the schema; throws FrameViolation. */
export function decodeUpFrame(line: string): UpFrame {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new FrameViolation("no JSON");
  }
  if (typeof value !== "object" || value === null || !("t" in value)) throw new FrameViolation("no frame");
  validatorOf ??= compiler();
  const validate = typeof value.t === "string" && upKinds.has(value.t) ? validatorOf(value.t) : null;
  if (validate?.(value) !== true) throw new FrameViolation("no frame of the schema");
  return value as UpFrame;
}

/** Cuts a host's bytes into frames; throws FrameViolation for a line over the cap, before it is whole. */
export class FrameReader {
  #held: Buffer[] = [];
  #heldBytes = 0;

  *push(data: Buffer): Generator<UpFrame, void> {
    let rest = data;
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
      if (this.#heldBytes + end > maxFrameBytes) throw new FrameViolation("a line over 1 MiB");
      const line = Buffer.concat([...this.#held, rest.subarray(0, end)]);
      this.#held = [];
      this.#heldBytes = 0;
      rest = rest.subarray(end + 1);
      yield decodeUpFrame(line.toString("utf8"));
    }
    this.#held.push(rest);
    this.#heldBytes += rest.length;
    if (this.#heldBytes > maxFrameBytes) throw new FrameViolation("a line over 1 MiB");
  }
}

/** The bytes of a chunk; base64 that does not say exactly its bytes is a violation. */
export function chunkBytes(data: string): Uint8Array {
  const bytes = Buffer.from(data, "base64");
  if (bytes.toString("base64") !== data) throw new FrameViolation("no base64");
  return bytes;
}
