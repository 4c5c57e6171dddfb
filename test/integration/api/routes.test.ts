import fc from "fast-check";
import Fastify from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiDeps, Problem } from "../../../src/api/index.ts";
import { registerRoutes } from "../../../src/api/routes.ts";
import { codes, Fault } from "../../../src/base/index.ts";
import { rounds } from "../../support/effort.ts";
import { type Api, acmeRun, borealisRun, logHash, openApi } from "./api-fixture.ts";

interface Route {
  readonly method: string;
  /** As registered. */
  readonly url: string;
  /** As called, for acme. */
  readonly path: string;
  readonly body?: object;
  /** `*`: of the whole site; acme where it is left out. */
  readonly tenant?: string;
  /** What a caller with every right gets. */
  readonly status: number;
  /** The narrowest scope that is enough. */
  readonly scope: "read" | "operate" | "admin";
}

const read = (url: string, path: string): readonly Route[] =>
  ["GET", "HEAD"].map((method) => ({ method, url, path, status: 200, scope: "read" }));
const refused = (method: string, url: string, path: string): Route => ({
  ...{ method, url, path, status: 405, scope: "read" },
});

const routes: readonly Route[] = [
  ...read("/dags", "/dags"),
  ...read("/dags/:dagId", "/dags/hello"),
  ...read("/tenant", "/tenant"),
  ...read("/events", "/events?subject=dag/hello&limit=5"),
  ...read("/suspensions", "/suspensions"),
  ...read("/runs", "/runs"),
  ...read("/runs/:runId", `/runs/${acmeRun}`),
  ...read("/runs/:runId/record", `/runs/${acmeRun}/record`),
  ...read("/runs/:runId/logs/:sha256", `/runs/${acmeRun}/logs/${logHash}`),
  {
    ...{ method: "POST", url: "/admin/suspensions", path: "/admin/suspensions", status: 201, scope: "admin" },
    body: { dagId: "hello", reason: "it floods", ticket: "INC-7", expiresUtc: "2026-11-25T00:00:00Z" },
  },
  {
    ...{ method: "POST", url: "/admin/suspensions::end", path: "/admin/suspensions:end", status: 200, scope: "admin" },
    body: { reason: "fixed", ticket: "INC-7" },
  },
  {
    ...{ method: "POST", url: "/admin/history::accept", path: "/admin/history:accept", status: 200, scope: "admin" },
    ...{ tenant: "*", body: { to: "a".repeat(40), reason: "restored from a backup", ticket: "INC-8" } },
  },
  { method: "POST", url: "/dags/:dagId/runs", path: "/dags/hello/runs", body: {}, status: 201, scope: "operate" },
  {
    ...{ method: "POST", url: "/runs/:runId([^:/]+)::cancel", path: `/runs/${acmeRun}:cancel` },
    ...{ body: {}, status: 409, scope: "operate" },
  },
  ...["POST", "PUT", "PATCH", "DELETE"].map((method) => refused(method, "/dags", "/dags")),
  ...["PUT", "PATCH", "DELETE"].map((method) => refused(method, "/dags/:dagId", "/dags/hello")),
];

const nameOf = ({ method, url }: Pick<Route, "method" | "url">): string => `${method} ${url}`;

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const send = ({ method, path, body }: Route, headers: Readonly<Record<string, string>>): Promise<Response> =>
  api.call(path, {
    method,
    headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

async function expectProblem(response: Response, status: number, code: string): Promise<void> {
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  const text = await response.text();
  // HEAD has the headers of the answer, not its text.
  if (text === "") return;
  const problem = JSON.parse(text) as Problem;
  expect(problem).toMatchObject({ status, code, type: `urn:orrery:problem:${code}` });
  expect(Object.keys(codes)).toContain(problem.code);
  expect(problem.instance).toMatch(/^\//);
}

describe("every route behind tenant, token and scope", () => {
  it("the table below misses no route", () => {
    const registered: string[] = [];
    const app = Fastify();
    app.addHook("onRoute", ({ method, url }) => {
      for (const one of [method].flat()) registered.push(nameOf({ method: one, url }));
    });

    registerRoutes(app, {} as Parameters<typeof registerRoutes>[1]);

    expect(registered.sort()).toEqual(routes.map(nameOf).sort());
  });

  it.each(routes.map((route) => [nameOf(route), route] as const))("%s", async (_name, route) => {
    const { tenant: own = "acme" } = route;
    const bearer = `Bearer ${await api.token({ tenant: own, scopes: [route.scope] })}`;
    const tenant = { "x-stella-tenant": own };

    expect((await send(route, { ...tenant, authorization: bearer })).status).toBe(route.status);
    expect((await send(route, { "x-stellaops-tenant": own, authorization: bearer })).status).toBe(route.status);
    await expectProblem(await send(route, tenant), 401, "TOKEN_REQUIRED");
    await expectProblem(await send(route, { ...tenant, authorization: "Basic YTpi" }), 401, "TOKEN_REQUIRED");
    await expectProblem(await send(route, { authorization: bearer }), 400, "TENANT_REQUIRED");
    await expectProblem(
      await send(route, { ...tenant, "x-stellaops-tenant": "borealis", authorization: bearer }),
      403,
      "TENANT_MISMATCH",
    );
    const others: readonly (readonly [string, number, string])[] = [
      [await api.token({ tenant: "borealis" }), 403, "TENANT_MISMATCH"],
      [
        await api.token({ tenant: own, scopes: route.scope === "read" ? ["nothing"] : ["read"] }),
        403,
        "SCOPE_REQUIRED",
      ],
      [await api.token({ nowSeconds: Math.floor(api.clock.now().getTime() / 1000) - 3600 }), 401, "TOKEN_REQUIRED"],
      [await api.token({}, api.foreignKey), 401, "TOKEN_REQUIRED"],
      [`${await api.token()}x`, 401, "TOKEN_REQUIRED"],
      [
        `${btoa('{"alg":"none"}').replaceAll("=", "")}.${(await api.token()).split(".")[1] ?? ""}.`,
        401,
        "TOKEN_REQUIRED",
      ],
    ];
    for (const [token, status, code] of others) {
      await expectProblem(await send(route, { ...tenant, authorization: `Bearer ${token}` }), status, code);
    }
  });
});

describe("another tenant's run", () => {
  it.each([
    ["GET", ""],
    ["GET", "/record"],
    ["GET", `/logs/${logHash}`],
    ["POST", ":cancel"],
  ])("%s /runs/<id>%s is not found, never forbidden, as one that never was", async (method, tail) => {
    const headers = await api.headers({ "content-type": "application/json" });
    const init = { method, headers, ...(method === "POST" ? { body: "{}" } : {}) };

    const answers = await Promise.all(
      [borealisRun, "019b0000-0000-7000-8000-0000000000ff"].map((runId) => api.call(`/runs/${runId}${tail}`, init)),
    );

    const [theirs, nobodys] = await Promise.all(answers.map((answer) => answer.json() as Promise<Problem>));
    expect(answers.map(({ status }) => status)).toEqual([404, 404]);
    expect(theirs?.code).toBe(nobodys?.code);
    expect(theirs?.detail.replace(borealisRun, "")).toBe(nobodys?.detail.replace(/019b\S*/, ""));
  });

  it("its outputs and other tenants' rows stand in no answer", async () => {
    const headers = await api.headers();

    const list = await (await api.call("/runs", { headers })).text();
    const one = await (await api.call(`/runs/${acmeRun}`, { headers })).text();

    expect(list).toContain(acmeRun);
    expect(list).not.toContain(borealisRun);
    expect(one).not.toContain("secret");
  });
});

describe("Git is the only desired state", () => {
  it.each(["POST", "PUT", "PATCH", "DELETE"])("%s on specs says how to do it in Git", async (method) => {
    const response = await api.call("/dags", { method, headers: await api.headers() });

    expect(response.headers.get("allow")).toBe("GET");
    const problem = (await response.json()) as Problem;
    expect(problem).toMatchObject({ status: 405, code: "METHOD_NOT_ALLOWED" });
    expect(problem.detail).toContain("commit to tenants/<tenant>/dags/<dagId>.yaml");
  });
});

describe("what a request may hold", () => {
  const start = (init: RequestInit): Promise<Response> => api.call("/dags/hello/runs", { method: "POST", ...init });

  it("a start carries subject, key, inputs and rationale as they were sent", async () => {
    const headers = await api.headers({ "content-type": "application/json", "idempotency-key": "night-1" });

    await start({ headers, body: JSON.stringify({ inputs: { day: "2026-11-24" }, rationale: "because" }) });

    expect(api.starts.at(-1)).toEqual({
      ...{ tenant: "acme", dagId: "hello", key: "night-1", subject: "ana" },
      ...{ inputs: { day: "2026-11-24" }, rationale: "because" },
    });
  });

  it("an existing run is said to be one", async () => {
    api.answer = { kind: "existing", runId: acmeRun };
    const headers = await api.headers({ "content-type": "application/json" });

    const response = await start({ headers, body: "{}" });

    api.answer = { kind: "admitted", runId: acmeRun, runNo: 1 };
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ runId: acmeRun, existing: true });
  });

  it("a refused start is a problem with the code of the denial", async () => {
    api.answer = { kind: "refused", code: "ENDPOINT_NOT_ALLOWED", message: "NotAllowed: endpoint" };
    const headers = await api.headers({ "content-type": "application/json" });

    const response = await start({ headers, body: "{}" });

    api.answer = { kind: "admitted", runId: acmeRun, runNo: 1 };
    await expectProblem(response, codes.ENDPOINT_NOT_ALLOWED.http, "ENDPOINT_NOT_ALLOWED");
  });

  it.each([
    {
      what: "over 1 MiB",
      body: JSON.stringify({ rationale: "x".repeat(1024 * 1024) }),
      status: 413,
      code: "BODY_TOO_LARGE",
    },
    { what: "another media type", extra: { "content-type": "application/yaml" }, status: 415, code: "MEDIA_TYPE" },
    { what: "no JSON", body: "{" },
    { what: "an unknown member", body: '{"spec":{}}' },
    { what: "a number where a text is due: nothing is coerced", body: '{"rationale":1}' },
    { what: "__proto__", body: '{"__proto__":{"rationale":"x"}}' },
    { what: "an idempotency key with a blank", extra: { "idempotency-key": "a b" } },
  ])("refused: $what", async ({ extra = {}, body = "{}", status = 400, code = "BAD_REQUEST" }) => {
    const headers = await api.headers({ "content-type": "application/json", ...extra });

    await expectProblem(await start({ headers, body }), status, code);
  });

  it("a compressed body is refused before it is read", async () => {
    const headers = await api.headers({ "content-type": "application/json", "content-encoding": "gzip" });

    await expectProblem(await start({ headers, body: "{}" }), 415, "MEDIA_TYPE");
  });

  it.each(["/runs/nonsense", "/dags/UPPER", "/runs?limit=0", "/runs?limit=9999", "/runs?more=1", "/runs?before=x"])(
    "%s is a bad request",
    async (path) => {
      await expectProblem(await api.call(path, { headers: await api.headers() }), 400, "BAD_REQUEST");
    },
  );

  it("an unknown route is not found", async () => {
    await expectProblem(await api.call("/nothing", { headers: await api.headers() }), 404, "NOT_FOUND");
  });

  it("never answers 5xx, whatever is asked", async () => {
    const headers = await api.headers();
    const segment = fc.oneof(
      fc.constantFrom("dags", "runs", "hello", acmeRun, "record", "logs", logHash, ":cancel", "..", "%00", "%ff"),
      fc.string({ maxLength: 20 }).map(encodeURIComponent),
    );
    const requests = fc.record({
      method: fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"),
      path: fc.array(segment, { maxLength: 5 }).map((parts) => `/${parts.join("/")}`),
      query: fc.option(fc.webQueryParameters(), { nil: "" }),
      body: fc.option(fc.oneof(fc.json(), fc.string()), { nil: null }),
      type: fc.constantFrom("application/json", "text/plain", "application/x-ndjson", "*/*"),
    });

    await fc.assert(
      fc.asyncProperty(requests, async ({ method, path, query, body, type }) => {
        const hasBody = body !== null && method !== "GET" && method !== "HEAD";
        const response = await fetch(`${api.url}/api/v1/orchestrator${path}${query === "" ? "" : `?${query}`}`, {
          method,
          redirect: "manual",
          headers: hasBody ? { ...headers, "content-type": type } : headers,
          ...(hasBody ? { body } : {}),
        });
        await response.arrayBuffer();
        expect(response.status, `${method} ${path}`).toBeLessThan(500);
      }),
      { numRuns: rounds(400, 10000) },
    );
  });
});

describe("what is served as it is", () => {
  it("a record goes out as the bytes that were signed", async () => {
    const response = await api.call(`/runs/${acmeRun}/record`, { headers: await api.headers() });

    expect(response.headers.get("content-type")).toMatch(/^application\/x-ndjson/);
    expect(await response.text()).toBe('{"signed":"bytes"}\n');
  });

  it("a log that is not one of the run's attempts is not found", async () => {
    const response = await api.call(`/runs/${acmeRun}/logs/${"b".repeat(64)}`, { headers: await api.headers() });

    await expectProblem(response, 404, "NOT_FOUND");
  });
});

describe("health and metrics", () => {
  it("healthz answers while nothing is ready; readyz says why not", async () => {
    const [health, ready] = await Promise.all([fetch(`${api.url}/healthz`), fetch(`${api.url}/readyz`)]);

    expect(health.status).toBe(200);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ ready: false, reasons: [{ reason: "Reconciling" }] });
  });

  it("metrics have a listener of their own; the API has none", async () => {
    const [own, elsewhere] = await Promise.all([fetch(`${api.metricsUrl}/metrics`), fetch(`${api.url}/metrics`)]);

    expect(elsewhere.status).toBe(404);
    expect(await own.text()).toContain('orchestrator_queue_depth{tenant="borealis"} 3');
  });

  it("the world being down is 503 with a retry's code; an unknown error shows nothing of itself", async () => {
    const failure = { error: new Fault("DATABASE_UNAVAILABLE", "the database does not answer") as Error };
    const broken = () => Promise.reject(failure.error);
    await using down = await openApi({ ledger: { listDags: broken } as unknown as ApiDeps["ledger"] });
    const headers = await down.headers();

    await expectProblem(await down.call("/dags", { headers }), 503, "DATABASE_UNAVAILABLE");
    failure.error = new Error("password=hunter2");
    const response = await down.call("/dags", { headers });

    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("hunter2");
    expect(down.logged.filter(({ level }) => level === "error")).toHaveLength(2);
  });
});
