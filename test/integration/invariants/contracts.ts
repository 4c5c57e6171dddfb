import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { createArtifactStore } from "../../../src/artifact/index.ts";
import { Fault, type Json, type JsonObject } from "../../../src/base/index.ts";
import { defaults, schemas } from "../../../src/spec/index.ts";
import { createLogger, createRedact } from "../../../src/telemetry/index.ts";
import { scratchDir } from "../../support/git-fixtures.ts";
import { openApi } from "../api/api-fixture.ts";
import type { Kind, Surface } from "./matrix.ts";

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function below(value: Json | undefined, ...names: readonly string[]): JsonObject {
  let at = value;
  for (const name of names) at = isObject(at) ? at[name] : undefined;
  if (!isObject(at)) throw new Error(`no ${names.join(".")}`);
  return at;
}

interface Contract extends Surface {
  readonly schema: JsonObject;
}

/** Places of objects that name members and take others besides. */
function openObjects(node: Json, at: string): readonly string[] {
  if (Array.isArray(node)) return node.flatMap((item, index) => openObjects(item as Json, `${at}/${String(index)}`));
  if (!isObject(node)) return [];
  const isOpen =
    isObject(node["properties"]) &&
    node["type"] === "object" &&
    node["additionalProperties"] === undefined &&
    node["unevaluatedProperties"] !== false;
  const inner = Object.entries(node).flatMap(([key, member]) => openObjects(member, `${at}/${key}`));
  return isOpen ? [at, ...inner] : inner;
}

export function kinds(): Kind<Contract> {
  return {
    title: "Schemas",
    source: "Every file in schemas/: what is decoded from outside.",
    surfaces: readdirSync("schemas")
      .filter((file) => file.endsWith(".schema.json"))
      .map((file) => ({ name: file, schema: JSON.parse(readFileSync(`schemas/${file}`, "utf8")) as JsonObject })),
    rules: [
      {
        name: "an unknown key is refused",
        check: ({ schema }) => openObjects(schema, "").join(", ") || null,
      },
    ],
  };
}

interface RecordKind extends Surface {
  readonly required: readonly string[];
  readonly closed: boolean;
}

export function records(): Kind<RecordKind> {
  const schema = JSON.parse(readFileSync("schemas/record.schema.json", "utf8")) as JsonObject;
  const refs = (schema["oneOf"] as readonly { readonly $ref: string }[]).map(({ $ref }) => $ref.split("/").pop() ?? "");
  const needs = (name: string, ...members: readonly string[]) => ({
    name,
    check: ({ required }: RecordKind) => members.find((member) => !required.includes(member)) ?? null,
  });
  return {
    title: "Record kinds",
    source: "Every kind of line of the audit branch, by schemas/record.schema.json.",
    surfaces: refs.map((name) => {
      const kind = below(schema, "$defs", name);
      return {
        name,
        required: kind["required"] as readonly string[],
        closed: kind["additionalProperties"] === false || kind["unevaluatedProperties"] === false,
      };
    }),
    rules: [
      needs("one tenant and site", "tenant", "site"),
      needs("who did it", "actor"),
      needs("a place in the chain", "seq", "prev", "index", "timestamp"),
      needs("the runtime that made it", "runtime"),
      { name: "nothing unnamed", check: ({ closed }) => (closed ? null : "takes other members") },
    ],
  };
}

interface Limit extends Surface {
  readonly field: string;
  readonly isolation: string;
}

/** The attack of test/hostile/sandbox/attacks.ts that meets a limit, for each isolation of a step. */
const attackOf: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  memory: {
    realm: "allocates Buffers without end",
    host: "allocates Buffers without end, with Node's own",
  },
  cpuTime: { realm: "burns more CPU than its budget", host: "burns more CPU than its budget, with Node around" },
  timeout: { realm: "loops for ever", host: "loops for ever, with Node around" },
  scratch: { host: "fills its scratch" },
};

export function stepLimits(): Kind<Limit> {
  const dag = schemas.dag;
  const fields = Object.keys(below(dag, "$defs", "limits", "properties"));
  const ceilings = below(schemas.quota, "properties", "spec", "properties", "perStep", "properties");
  const isolations = below(schemas.plugin, "properties", "spec", "properties", "isolation")["enum"] as string[];
  const attacks = readFileSync("test/hostile/sandbox/attacks.ts", "utf8");
  const inForm: readonly string[] = Object.keys(defaults.limits).map((key) => key.replace(/(Bytes|Ms)$/u, ""));
  return {
    title: "Limits of every kind of step",
    source: "Every field of a step's `limits`, for each `isolation` that a plugin may have.",
    surfaces: fields.flatMap((field) =>
      isolations.map((isolation) => ({ name: `${field}, ${isolation}`, field, isolation })),
    ),
    rules: [
      { name: "holds unasked", check: ({ field }) => (inForm.includes(field) ? null : "no default") },
      { name: "the quota is above it", check: ({ field }) => (field in ceilings ? null : "no ceiling") },
      {
        name: "an attack that it stops",
        check: ({ field, isolation }) => {
          const attack = attackOf[field]?.[isolation];
          return attack !== undefined && attacks.includes(`name: "${attack}"`) ? null : "no attack";
        },
      },
    ],
    exemptions: [["scratch, realm", "an attack that it stops", "a realm has no files"]],
  };
}

interface Channel extends Surface {
  /** What reaches the outside of a text. */
  readonly passes: ((text: string) => Promise<string>) | null;
}

/** Where text leaves the process: files of src/ that write to a stream, a log or a problem document. */
const writes =
  /process\.(?:stdout|stderr)\b|console\.\w+\(|(?<!function )\b(?:createLogger|createAttemptLog)\(|problemOf\(error, /u;

const canary = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQ";

const daemonLog = (text: string): Promise<string> => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ level: "debug", redact: createRedact(), destination });
  log.error({ field: text, error: new Error(text, { cause: new Error(text) }) }, text);
  return Promise.resolve(lines.join(""));
};

const stepLog = async (text: string): Promise<string> => {
  using dir = scratchDir();
  const store = await createArtifactStore({ root: dir.path, redact: createRedact() });
  const log = store.openLog("acme", 10_000);
  log.append({ message: text, [text]: { deep: [text] } });
  const closed = await log.close();
  let out = "";
  for await (const part of store.readLog("acme", closed?.hash ?? "")) out += Buffer.from(part).toString("utf8");
  return out;
};

const problem = async (text: string): Promise<string> => {
  await using api = await openApi({
    readLog: () => Promise.reject(new Fault("BAD_REQUEST", text)),
    runs: {
      start: () => Promise.reject(new Fault("BAD_REQUEST", text)),
      cancel: () => Promise.reject(new Fault("BAD_REQUEST", text)),
    },
  });
  const headers = { ...(await api.headers()), "content-type": "application/json" };
  const response = await api.call("/dags/hello/runs", { method: "POST", body: "{}", headers });
  return await response.text();
};

const channels: Readonly<Record<string, ((text: string) => Promise<string>) | null>> = {
  "api/server.ts": problem,
  "artifact/artifact-store.ts": stepLog,
  "cli/commands/up.ts": daemonLog,
  "cli/demo/run-demo.ts": daemonLog,
  "cli/main.ts": null,
  "cli/terminal.ts": null,
  "signer/main.ts": null,
};

export function outputs(): Kind<Channel> {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && writes.test(readFileSync(path.join("src", file), "utf8")))
    .sort();
  return {
    title: "Output channels",
    source: `Every file of src/ that writes to a stream, a log or a problem document. A credential is sent through each.`,
    surfaces: files.map((name) => ({ name, passes: channels[name] ?? null })),
    rules: [
      {
        name: "secrets are masked",
        check: async ({ passes }) => {
          if (passes === null) return "nobody sends a secret through it";
          const out = await passes(`before ${canary} after`);
          return out.includes("[redacted]") && !out.includes(canary) ? null : out;
        },
      },
    ],
    exemptions: [
      ["cli/main.ts", "secrets are masked", "writes no text"],
      ["cli/terminal.ts", "secrets are masked", "a person's own files; what a daemon says is masked there"],
      ["signer/main.ts", "secrets are masked", "sees no text of a tenant; stacks of its own defects"],
    ],
  };
}
