import type { FastifyInstance, FastifyRequest } from "fastify";
import { Fault } from "../base/index.ts";
import type { ApiDeps } from "./api-deps.ts";
import { type CallerOf, demands } from "./caller.ts";

const target = { type: "string", pattern: "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$" };
// Blanks are no reason.
const words = { type: "string", pattern: "\\S", maxLength: 2000 };
const ticket = { type: "string", pattern: "\\S", maxLength: 200 };

interface EndBody {
  readonly dagId?: string;
  readonly reason: string;
  readonly ticket: string;
}

interface SuspendBody extends EndBody {
  readonly expiresUtc: string;
}

const bodyOf = (more: object, required: readonly string[]): object => ({
  type: "object",
  additionalProperties: false,
  required: ["reason", "ticket", ...required],
  properties: { dagId: target, reason: words, ticket, ...more },
});

/** Break-glass: what stops past Git. Needs `orchestrator:admin`, a reason and a ticket, and is recorded. */
export function registerSuspensions(app: FastifyInstance, deps: ApiDeps, callerOf: CallerOf): void {
  const expiresUtc = { type: "string", pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,3})?Z$" };
  app.get("/suspensions", demands("read"), async (request) => ({
    items: await deps.breakGlass.list(callerOf(request).tenant),
  }));
  app.post<{ Body: SuspendBody }>(
    "/admin/suspensions",
    { ...demands("admin"), schema: { body: bodyOf({ expiresUtc }, ["expiresUtc"]) } },
    async (request, reply) => {
      const until = new Date(request.body.expiresUtc);
      return reply.code(201).send(await deps.breakGlass.suspend({ ...endOf(request, callerOf), until }));
    },
  );
  app.post<{ Body: EndBody }>(
    "/admin/suspensions::end",
    { ...demands("admin"), schema: { body: bodyOf({}, []) } },
    async (request) => {
      if (await deps.breakGlass.resume(endOf(request, callerOf))) return { ended: true };
      throw new Fault("NOT_FOUND", "nothing is suspended by hand there; what tenant.yaml suspends ends by a commit");
    },
  );
}

function endOf(request: FastifyRequest<{ Body: EndBody }>, callerOf: CallerOf) {
  const { tenant, principal } = callerOf(request);
  const { dagId = null, reason, ticket: number } = request.body;
  return { tenant, dagId, reason, ticket: number, subject: principal.subject };
}
