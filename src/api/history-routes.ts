import type { FastifyInstance } from "fastify";
import type { ApiDeps } from "./api-deps.ts";
import { type CallerOf, demandsSite } from "./caller.ts";

interface AcceptBody {
  readonly to: string;
  readonly reason: string;
  readonly ticket: string;
}

const body = {
  type: "object",
  additionalProperties: false,
  required: ["to", "reason", "ticket"],
  properties: {
    to: { type: "string", pattern: "^[0-9a-f]{40}$" },
    // Blanks are no reason.
    reason: { type: "string", pattern: "\\S", maxLength: 2000 },
    ticket: { type: "string", pattern: "\\S", maxLength: 200 },
  },
};

/** What concerns the whole site: a token of tenant `*` with `orchestrator:admin`, a reason and a ticket; recorded. */
export function registerHistory(app: FastifyInstance, deps: ApiDeps, callerOf: CallerOf): void {
  app.post<{ Body: AcceptBody }>(
    "/admin/history::accept",
    { ...demandsSite("admin"), schema: { body } },
    async (request) => {
      const { to, reason, ticket } = request.body;
      return await deps.history.accept({ to, reason, ticket, subject: callerOf(request).principal.subject });
    },
  );
}
