export type { ApiDeps, SiteStatus } from "./api-deps.ts";
export type { Problem } from "./problem.ts";
export { type ApiOptions, type ApiServer, createApiServer, createMetricsServer } from "./server.ts";
