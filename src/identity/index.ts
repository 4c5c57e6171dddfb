export { type ApiKey, issueToken, openApiKey, type TokenRequest } from "./api-key.ts";
export { apiPrefix } from "./api-prefix.ts";
export { type Principal, type Scope } from "./principal.ts";
export { guardTenant, tenantOfHeaders } from "./tenant-guard.ts";
export { createTokenVerifier, type TokenVerifier } from "./token-verifier.ts";
