import type { Allowlist, EndpointGrant, PluginRef } from "../spec/index.ts";

/** Whether the tenant may use this plugin version. An empty allowlist grants nothing, `core.*` neither. */
export const pluginGranted = (allowlist: Allowlist, ref: PluginRef): boolean =>
  allowlist.plugins.some(
    (grant) =>
      nameMatches(grant.name, ref.name) && grant.versions.some((version) => versionMatches(version, ref.version)),
  );

/** The grant under which steps of a plugin may connect to `host:port`, or null. */
export function endpointGranted(
  allowlist: Allowlist,
  plugin: string,
  host: string,
  port: number,
): EndpointGrant | null {
  const wanted = hostKey(host);
  const fits = (grant: EndpointGrant): boolean =>
    grant.port === port && hostKey(grant.host) === wanted && grant.for.some((glob) => nameMatches(glob, plugin));
  return allowlist.endpoints.find(fits) ?? null;
}

/** Whether steps of a plugin may be lent this secret of the tenant. */
export const secretGranted = (allowlist: Allowlist, plugin: string, secret: string): boolean =>
  allowlist.secrets.some((grant) => grant.name === secret && grant.for.some((glob) => nameMatches(glob, plugin)));

/** A name, or a prefix with one `*` at its end. Any other `*` matches only itself, hence nothing. */
export const nameMatches = (glob: string, name: string): boolean =>
  glob.endsWith("*") ? name.startsWith(glob.slice(0, -1)) : glob === name;

/** `1.2.3` is itself; `1.x` and `1.2.x` are releases of that line, never a pre-release. */
export function versionMatches(pattern: string, version: string): boolean {
  if (!pattern.endsWith(".x")) return pattern === version;
  const line = pattern.slice(0, -1);
  const rest = pattern.split(".").length === 2 ? /^\d+\.\d+$/ : /^\d+$/;
  return version.startsWith(line) && rest.test(version.slice(line.length));
}

/** Whether two spellings name one host. */
export const sameHost = (a: string, b: string): boolean => hostKey(a) === hostKey(b);

// Host names have no case, and an IPv6 address is written with brackets beside a port.
const hostKey = (host: string): string => host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
