import type { Problem } from "../api/index.ts";
import { type CodeName, codeRow, Fault, type JsonObject, systemClock } from "../base/index.ts";
import { isAlive, readDaemonFile } from "../config/index.ts";
import { apiPrefix, issueToken, openApiKey } from "../identity/index.ts";

/** Talks to the daemon of one data directory as one tenant, with a token that it signs itself. */
export interface DaemonClient {
  get(path: string): Promise<unknown>;
  post(path: string, body: JsonObject, headers?: Readonly<Record<string, string>>): Promise<unknown>;
  text(path: string): Promise<string>;
}

export interface ClientOptions {
  readonly dataDir: string;
  readonly tenant: string;
  /** Stands in records as the actor. */
  readonly subject: string;
  /** What its token may; a wider one holds the narrower. */
  readonly scope: "operate" | "admin";
}

const tokenTtlSeconds = 60;

/** Fault DAEMON_UNREACHABLE where none runs; a problem document becomes the Fault that it names. */
export async function connectDaemon({ dataDir, tenant, subject, scope }: ClientOptions): Promise<DaemonClient> {
  const daemon = readDaemonFile(dataDir);
  if (daemon === null || !isAlive(daemon.pid)) throw new Fault("DAEMON_UNREACHABLE", `no daemon runs on ${dataDir}`);
  const key = await openApiKey(dataDir, false);
  const nowSeconds = Math.floor(systemClock.now().getTime() / 1000);
  const token = await issueToken(key, {
    subject,
    tenant,
    scopes: [scope],
    nowSeconds,
    ttlSeconds: tokenTtlSeconds,
  });
  const headers = { authorization: `Bearer ${token}`, "x-stella-tenant": tenant };
  const call = async (path: string, init: RequestInit): Promise<Response> => {
    const response = await fetch(`${daemon.url}${apiPrefix}${path}`, init).catch((error: unknown) => {
      throw new Fault("DAEMON_UNREACHABLE", `the daemon with pid ${daemon.pid} does not answer at ${daemon.url}`, {
        cause: error,
      });
    });
    if (!response.ok) throw faultOfProblem((await response.json()) as Problem);
    return response;
  };
  return {
    get: async (path) => (await call(path, { headers })).json(),
    text: async (path) => (await call(path, { headers })).text(),
    post: async (path, body, extra = {}) =>
      (
        await call(path, {
          method: "POST",
          headers: { ...headers, ...extra, "content-type": "application/json" },
          body: JSON.stringify(body),
        })
      ).json(),
  };
}

function faultOfProblem(problem: Problem): Fault {
  const code: CodeName = codeRow(problem.code) === null ? "INTERNAL" : problem.code;
  const errors = (problem.errors ?? []).map(({ pointer, message }) => `${pointer}: ${message}`);
  return new Fault(code, [problem.detail, ...errors].join("; "));
}
