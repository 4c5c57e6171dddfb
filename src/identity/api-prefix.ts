/** Where the API is mounted. Here and not in api/: a client must not load a web server to know it. */
export const apiPrefix = "/api/v1/orchestrator";
