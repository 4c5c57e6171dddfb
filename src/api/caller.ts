import type { FastifyRequest } from "fastify";
import type { Principal, Scope } from "../identity/index.ts";

export interface Caller {
  readonly tenant: string;
  readonly principal: Principal;
}

export type CallerOf = (request: FastifyRequest) => Caller;

/** The same for what is of the whole site: only a token of tenant `*` fits. */
export const demandsSite = (scope: Scope): { readonly config: { readonly scope: Scope; readonly isOfSite: true } } => ({
  config: { scope, isOfSite: true },
});

/** What a route demands of its caller; the type makes a route without it impossible to read. */
export const demands = (scope: Scope): { readonly config: { readonly scope: Scope } } => ({ config: { scope } });
