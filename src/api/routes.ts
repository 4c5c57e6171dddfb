import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { codes, Fault, type JsonObject } from "../base/index.ts";
import { apiPrefix, guardTenant, type Scope, tenantOfHeaders } from "../identity/index.ts";
import type { StartAnswer } from "../scheduler/index.ts";
import type { RunView } from "../store/index.ts";
import type { ApiDeps } from "./api-deps.ts";
import { type Caller, type CallerOf, demands } from "./caller.ts";
import { registerHistory } from "./history-routes.ts";
import { registerSuspensions } from "./suspension-routes.ts";

const idPattern = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";
const uuidPattern = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$";
const dagParams = {
  type: "object",
  required: ["dagId"],
  properties: { dagId: { type: "string", pattern: idPattern } },
};
const runParams = {
  type: "object",
  required: ["runId"],
  properties: { runId: { type: "string", pattern: uuidPattern } },
};
const rationale = { type: "string", minLength: 1, maxLength: 2000 };

/**
 * Every route has the tenant header, a token of that tenant and a scope, checked before anything of the body or the
 * parameters is read: a stranger learns nothing of what fits.
 */
export function registerRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const callers = new WeakMap<FastifyRequest, Caller>();
  app.addHook("onRequest", async (request) => {
    const { scope, isOfSite = false } = request.routeOptions.config as {
      readonly scope?: Scope;
      readonly isOfSite?: boolean;
    };
    if (scope === undefined) throw new Fault("INTERNAL", "a route demands no scope");
    const tenant = tenantOfHeaders(request.headers["x-stella-tenant"], request.headers["x-stellaops-tenant"]);
    const principal = await deps.verifier.verify(bearerOf(request.headers.authorization));
    guardTenant(principal, tenant, { scope, isOfSite });
    callers.set(request, { tenant, principal });
    if (request.routeOptions.url?.startsWith(`${apiPrefix}/dags`) === true) refuseSpecChange(request);
  });
  const callerOf: CallerOf = (request) => {
    const caller = callers.get(request);
    if (caller === undefined) throw new Fault("INTERNAL", "a request without a caller");
    return caller;
  };
  registerDags(app, deps, callerOf);
  registerEvents(app, deps, callerOf);
  registerSuspensions(app, deps, callerOf);
  registerHistory(app, deps, callerOf);
  registerRuns(app, deps, callerOf);
}

/** Before the body is read: whatever somebody sends as a spec, the answer is how to do it in Git. */
function refuseSpecChange({ method, routeOptions }: FastifyRequest): void {
  const isStart = routeOptions.url?.endsWith("/runs") === true;
  if (method === "GET" || method === "HEAD" || isStart) return;
  throw new Fault(
    "METHOD_NOT_ALLOWED",
    "a DAG changes by a commit to tenants/<tenant>/dags/<dagId>.yaml in the spec repository",
  );
}

function registerDags(app: FastifyInstance, deps: ApiDeps, callerOf: CallerOf): void {
  app.get("/tenant", demands("read"), async (request) => {
    const { tenant } = callerOf(request);
    const view = await deps.ledger.getTenant(tenant);
    if (view === null) throw new Fault("NOT_FOUND", "nothing of this tenant was ever applied");
    return view;
  });
  app.get("/dags", demands("read"), async (request) => {
    const { tenant } = callerOf(request);
    return { items: await deps.ledger.listDags(tenant) };
  });
  app.get<{ Params: { dagId: string } }>(
    "/dags/:dagId",
    { ...demands("read"), schema: { params: dagParams } },
    async (request) => {
      const { tenant } = callerOf(request);
      return found(await deps.ledger.getDag(tenant, request.params.dagId), "DAG_NOT_FOUND", request.params.dagId);
    },
  );
  for (const method of ["POST", "PUT", "PATCH", "DELETE"] as const) {
    for (const url of method === "POST" ? ["/dags"] : ["/dags", "/dags/:dagId"]) {
      app.route({
        method,
        url,
        ...demands("read"),
        // Never reached: the hook refuses before the body is read.
        handler: refuseSpecChange,
      });
    }
  }
}

function registerEvents(app: FastifyInstance, deps: ApiDeps, callerOf: CallerOf): void {
  interface Events {
    Querystring: { subject?: string; before?: number; limit: number };
  }
  const querystring = {
    type: "object",
    additionalProperties: false,
    properties: {
      subject: { type: "string", pattern: "^(dag|tenant)/[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$" },
      before: { type: "integer", minimum: 1 },
      limit: { type: "integer", minimum: 1, maximum: 200, default: 50 },
    },
  };
  app.get<Events>("/events", { ...demands("read"), schema: { querystring } }, async (request) => {
    const { tenant } = callerOf(request);
    const { subject = null, before = null, limit } = request.query;
    return { items: await deps.ledger.events(tenant, { subject, before, limit }) };
  });
}

const startBody = {
  type: "object",
  additionalProperties: false,
  properties: { inputs: { type: "object" }, rationale },
};

function registerRuns(app: FastifyInstance, deps: ApiDeps, callerOf: CallerOf): void {
  interface Start {
    Params: { dagId: string };
    Body: { inputs?: JsonObject; rationale?: string };
  }
  app.post<Start>(
    "/dags/:dagId/runs",
    { ...demands("operate"), schema: { params: dagParams, body: startBody } },
    async (request, reply) => {
      const { tenant, principal } = callerOf(request);
      const { inputs = {}, rationale: text = null } = request.body;
      const answer = await deps.runs.start({
        tenant,
        dagId: request.params.dagId,
        key: idempotencyKeyOf(request),
        inputs,
        rationale: text,
        subject: principal.subject,
      });
      return startReply(reply, answer);
    },
  );
  interface List {
    Querystring: { dag?: string; before?: string; unfinished: boolean; limit: number };
  }
  const listQuery = {
    type: "object",
    additionalProperties: false,
    properties: {
      dag: { type: "string", pattern: idPattern },
      before: { type: "string", pattern: uuidPattern },
      unfinished: { type: "boolean", default: false },
      limit: { type: "integer", minimum: 1, maximum: 200, default: 50 },
    },
  };
  app.get<List>("/runs", { ...demands("read"), schema: { querystring: listQuery } }, async (request) => {
    const { tenant } = callerOf(request);
    const { dag = null, before = null, unfinished, limit } = request.query;
    return { items: await deps.ledger.listRuns(tenant, { dagId: dag, before, unfinished, limit }) };
  });
  registerRun(app, deps, callerOf);
}

function registerRun(app: FastifyInstance, deps: ApiDeps, callerOf: CallerOf): void {
  interface One {
    Params: { runId: string };
  }
  const runOf = async (tenant: string, runId: string): Promise<RunView> =>
    found(await deps.ledger.getRun(tenant, runId), "RUN_NOT_FOUND", runId);
  app.get<One>("/runs/:runId", { ...demands("read"), schema: { params: runParams } }, async (request) => {
    const { tenant } = callerOf(request);
    const run = await runOf(tenant, request.params.runId);
    const [attempts, record] = await Promise.all([
      deps.ledger.attempts(tenant, run.runId),
      deps.ledger.recordOf(tenant, `run/${run.runId}`),
    ]);
    return {
      ...run,
      attempts,
      record: record === null ? null : { seq: record.seq, batch: record.batch },
    };
  });
  // The record itself goes out as the bytes that were signed.
  app.get<One>("/runs/:runId/record", { ...demands("read"), schema: { params: runParams } }, async (request, reply) => {
    const { tenant } = callerOf(request);
    const record = await deps.ledger.recordOf(tenant, `run/${request.params.runId}`);
    if (record === null) throw new Fault("NOT_FOUND", "the run has no sealed record yet");
    return reply.type("application/x-ndjson").send(`${record.line}\n`);
  });
  app.get<{ Params: { runId: string; sha256: string } }>(
    "/runs/:runId/logs/:sha256",
    demands("read"),
    async (request, reply) => {
      const { tenant } = callerOf(request);
      const { runId, sha256 } = request.params;
      const isOfRun = await deps.ledger.hasLog(tenant, (await runOf(tenant, runId)).runId, sha256);
      const text = isOfRun ? await deps.readLog(tenant, sha256) : null;
      if (text === null) throw new Fault("NOT_FOUND", "the run has no such log");
      return reply.type("application/x-ndjson").send(text);
    },
  );
  registerCancel(app, deps, callerOf);
}

function registerCancel(app: FastifyInstance, deps: ApiDeps, callerOf: CallerOf): void {
  const cancelBody = { type: "object", additionalProperties: false, properties: { rationale } };
  app.post<{ Params: { runId: string }; Body: { rationale?: string } }>(
    "/runs/:runId([^:/]+)::cancel",
    { ...demands("operate"), schema: { params: runParams, body: cancelBody } },
    async (request, reply) => {
      const { tenant, principal } = callerOf(request);
      const answer = await deps.runs.cancel({
        tenant,
        runId: request.params.runId,
        rationale: request.body.rationale ?? null,
        subject: principal.subject,
      });
      if (answer.kind === "unknown") throw new Fault("RUN_NOT_FOUND", `no run ${request.params.runId}`);
      if (answer.kind === "finished")
        throw new Fault("RUN_FINISHED", "the run has ended; a finished run never changes");
      return reply
        .code(202)
        .send({ runId: request.params.runId, state: answer.kind === "cancelled" ? "cancelled" : "cancelling" });
    },
  );
}

function startReply(reply: FastifyReply, answer: StartAnswer): FastifyReply {
  switch (answer.kind) {
    case "admitted":
      return reply.code(201).send({ runId: answer.runId, runNo: answer.runNo, existing: false });
    case "existing":
      return reply.code(200).send({ runId: answer.runId, existing: true });
    case "refused":
      throw new Fault(answer.code, answer.message ?? codes[answer.code].cause);
  }
}

function idempotencyKeyOf(request: FastifyRequest): string | null {
  const key = request.headers["idempotency-key"];
  if (key === undefined) return null;
  if (typeof key !== "string" || !/^[\x21-\x7e]{1,200}$/.test(key))
    throw new Fault("BAD_REQUEST", "Idempotency-Key: 1 to 200 visible ASCII characters");
  return key;
}

function bearerOf(header: string | undefined): string {
  const match = /^Bearer ([A-Za-z0-9._~+/=-]{1,8192})$/.exec(header ?? "");
  if (match?.[1] === undefined) throw new Fault("TOKEN_REQUIRED", "send a bearer token");
  return match[1];
}

function found<T>(value: T | null, code: "DAG_NOT_FOUND" | "RUN_NOT_FOUND", name: string): T {
  if (value === null) throw new Fault(code, `this tenant has no ${name}`);
  return value;
}
