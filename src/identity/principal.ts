/** Who calls, as a checked token says. */
export interface Principal {
  readonly subject: string;
  /** The one tenant of the token; `*` = a site operator, who is of none. */
  readonly tenant: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** What concerns the whole site; no tenant can be called so. */
export const everyTenant = "*";

export type Scope = "read" | "operate" | "admin";

const prefix = "orchestrator:";

/** `orchestrator:read|operate|admin`; `write` = operate. A wider scope holds the narrower ones. */
export function parseScopes(text: string): ReadonlySet<Scope> {
  const scopes = new Set<Scope>();
  for (const word of text.split(" ")) {
    if (!word.startsWith(prefix)) continue;
    for (const scope of held(word.slice(prefix.length))) scopes.add(scope);
  }
  return scopes;
}

function held(name: string): readonly Scope[] {
  switch (name) {
    case "read":
      return ["read"];
    case "operate":
    case "write":
      return ["read", "operate"];
    case "admin":
      return ["read", "operate", "admin"];
    default:
      return [];
  }
}
