import { Fault, type Json, type JsonObject } from "../../base/index.ts";
import { sha256, sha256Hex } from "../../base/node-digest.ts";
import { specHashOf } from "../../run/index.ts";
import { type Allowlist, decodeDocument, effectiveQuota, type PinnedFile } from "../../spec/index.ts";
import { type LocalRequest, localRevision } from "../local/local-request.ts";
import type { BuiltPlugin } from "./build-plugin.ts";

/** What a task is asked: everything that its answer may depend on. */
export interface TaskAsk {
  readonly input: JsonObject;
  /** By path: what stands under tenants/<tenant>/files/ and is declared. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** The instant that the task sees; default 2000-01-01T00:00:00.000Z. */
  readonly now?: string;
  /** Values by name. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** `host:port` it may reach, private addresses too. */
  readonly network?: readonly string[];
  /** As in a DAG: `{ memory: "64Mi", timeout: "2s" }`. */
  readonly limits?: Readonly<Record<string, string>>;
}

const dagId = "plugin-test";
const stepId = "task";
const firstInstant = "2000-01-01T00:00:00.000Z";

/** A DAG of one step that grants just what is asked: the rest of the way is a daemon's. Fault SPEC_*, USAGE. */
export function taskRequest({ source, manifest, script }: BuiltPlugin, ask: TaskAsk): LocalRequest {
  const { tenant, name, version } = source;
  const files = filesOf(ask);
  const contents = new Map([
    [manifest.sha256, Buffer.from(script, "utf8")],
    ...files.map(({ file, bytes }) => [file.sha256, bytes] as const),
  ]);
  const { spec, specText } = decodeDag(dagOf(`${name}@${version}`, ask), tenant);
  const now = new Date(ask.now ?? firstInstant);
  if (Number.isNaN(now.getTime())) throw new Fault("USAGE", `now: ${ask.now ?? ""} is no instant`);
  return {
    ...{ tenant, dagId, specText, specHash: specHashOf(specText, sha256), inputs: ask.input },
    snapshot: {
      revision: localRevision,
      quota: effectiveQuota(null),
      allowlist: grantsOf(name, version, ask),
      plugins: { [`${name}@${version}`]: manifest },
      files: files.map(({ file }) => file),
      secrets: [],
    },
    content: (digest) => contents.get(digest) ?? null,
    trigger: { kind: "manual", key: dagId, schedule: null, slot: null },
    now: now.toISOString(),
    rationale: spec.rationale === null ? [] : [{ source: "spec", text: spec.rationale }],
  };
}

function dagOf(uses: string, ask: TaskAsk): JsonObject {
  const { files = {}, secrets = {}, network = [], limits } = ask;
  // By expressions, so that no text of the input is taken for one.
  const keys = Object.keys(ask.input).map((key): [string, Json] => [key, `\${{ inputs[${JSON.stringify(key)}] }}`]);
  const step: JsonObject = {
    uses,
    ...(keys.length === 0 ? {} : { with: Object.fromEntries(keys) }),
    ...(Object.keys(files).length === 0 ? {} : { files: ["**"] }),
    ...(network.length === 0 ? {} : { network: [...network] }),
    ...(Object.keys(secrets).length === 0
      ? {}
      : { secrets: Object.fromEntries(Object.keys(secrets).map((key) => [key, key])) }),
    ...(limits === undefined ? {} : { limits }),
  };
  return {
    apiVersion: "orrery/v1",
    kind: "Dag",
    spec: { rationale: "Try the task.", inputsSchema: { type: "object" }, steps: { [stepId]: step } },
  };
}

function decodeDag(dag: JsonObject, tenant: string) {
  const bytes = Buffer.from(JSON.stringify(dag), "utf8");
  const decoded = decodeDocument({ path: `tenants/${tenant}/dags/${dagId}.yaml`, bytes });
  if (decoded.ok && decoded.document.kind === "Dag") return decoded.document;
  const [finding] = decoded.ok ? [] : decoded.findings;
  throw new Fault(finding?.code ?? "SPEC_TYPE", `${finding?.pointer ?? ""} ${finding?.message ?? "no DAG"}`);
}

function filesOf({ files = {} }: TaskAsk): readonly { readonly file: PinnedFile; readonly bytes: Uint8Array }[] {
  return Object.entries(files)
    .map(([path, content]) => ({ path, bytes: Buffer.from(content as Uint8Array) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, bytes }) => ({ file: { path, sha256: sha256Hex(bytes), bytes: bytes.length }, bytes }));
}

function grantsOf(name: string, version: string, { network = [], secrets = {} }: TaskAsk): Allowlist {
  return {
    plugins: [{ name, versions: [version] }],
    endpoints: network.map((target) => {
      const colon = target.lastIndexOf(":");
      return { host: target.slice(0, colon), port: Number(target.slice(colon + 1)), private: true, for: [name] };
    }),
    secrets: Object.keys(secrets).map((secret) => ({ name: secret, for: [name] })),
  };
}
