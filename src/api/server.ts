import { Ajv2020 } from "ajv/dist/2020.js";
import Fastify, { type FastifyError, type FastifyInstance } from "fastify";
import { Fault, type Service } from "../base/index.ts";
import type { Listen } from "../config/index.ts";
import { apiPrefix } from "../identity/index.ts";
import type { ApiDeps } from "./api-deps.ts";
import { problemOf } from "./problem.ts";
import { registerRoutes } from "./routes.ts";

export interface ApiServer extends Service {
  /** `http://host:port` once started. */
  readonly url: string;
}

export interface ApiOptions {
  readonly listen: Listen;
  /** Where `listen.port` is taken: any free one instead. Only the demo wants that. */
  readonly anyPort?: boolean;
}

// Bodies are never coerced; query strings and path parameters must be.
const body = new Ajv2020({ allErrors: true, strict: true, useDefaults: true });
const rest = new Ajv2020({ allErrors: true, strict: true, useDefaults: true, coerceTypes: true });

/** REST of the daemon; `/healthz` and `/readyz` need no token and say nothing of tenants. */
export function createApiServer(deps: ApiDeps, options: ApiOptions): ApiServer {
  const app = newApp();
  app.get("/healthz", () => ({ status: "ok", version: deps.site().version }));
  app.get("/readyz", async (_request, reply) => {
    const { ready, reasons, sandbox, site, appliedRevision, stalled } = deps.site();
    return reply.code(ready ? 200 : 503).send({ ready, site, appliedRevision, stalled, sandbox, reasons });
  });
  void app.register(
    (api, _options, done) => {
      registerRoutes(api, deps);
      done();
    },
    { prefix: apiPrefix },
  );
  logFailures(app, deps);
  return serve("api", app, options);
}

/** `/metrics` has a listener of its own: its labels list all tenants. */
export function createMetricsServer(deps: ApiDeps, options: ApiOptions): ApiServer {
  const app = newApp();
  app.get("/metrics", async (_request, reply) => {
    const depths = await Promise.all(
      deps.tenants().map(async (tenant) => [tenant, await deps.ledger.queueDepth(tenant)] as const),
    );
    return reply.type(deps.metrics.contentType).send(await deps.metrics.render(new Map(depths)));
  });
  logFailures(app, deps);
  return serve("metrics", app, options);
}

function newApp(): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: 1024 * 1024,
    requestTimeout: 15_000,
    keepAliveTimeout: 5_000,
    routerOptions: { maxParamLength: 200 },
    forceCloseConnections: true,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 1_000 },
    return503OnClosing: true,
  });
  app.setValidatorCompiler(({ schema, httpPart }) => (httpPart === "body" ? body : rest).compile(schema));
  app.setSerializerCompiler(() => JSON.stringify);
  app.addHook("onRequest", (request, _reply, done) => {
    done(
      request.headers["content-encoding"] === undefined
        ? undefined
        : new Fault("MEDIA_TYPE", "compressed bodies are not read"),
    );
  });
  return app;
}

function logFailures(app: FastifyInstance, deps: ApiDeps): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = problemOf(error, request.url.split("?")[0] ?? "", deps.redact);
    if (problem.status >= 500)
      deps.log.error({ code: problem.code, route: request.routeOptions.url, error }, "request failed");
    else
      deps.log.info({ code: problem.code, route: request.routeOptions.url, status: problem.status }, "request refused");
    if (problem.code === "METHOD_NOT_ALLOWED") void reply.header("allow", "GET");
    void reply.code(problem.status).type("application/problem+json").serializer(JSON.stringify).send(problem);
  });
  app.setNotFoundHandler(() => {
    throw new Fault("NOT_FOUND", "there is no such route");
  });
}

function serve(name: string, app: FastifyInstance, { listen, anyPort = false }: ApiOptions): ApiServer {
  let url = "";
  return {
    name,
    get url() {
      return url;
    },
    start: async () => {
      url = await listenOn(app, listen).catch((error: unknown) => {
        if (!anyPort || !isAddressInUse(error)) throw portFault(listen, error);
        return listenOn(app, { ...listen, port: 0 });
      });
    },
    stop: () => app.close(),
  };
}

const listenOn = (app: FastifyInstance, { host, port }: Listen): Promise<string> => app.listen({ host, port });

const isAddressInUse = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "EADDRINUSE";

function portFault({ host, port }: Listen, error: unknown): Fault {
  return new Fault("CONFIG_INVALID", `cannot listen on ${host}:${port}: use another http.listen or metrics.listen`, {
    cause: error,
  });
}
