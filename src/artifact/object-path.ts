import { join } from "node:path";
import { Fault } from "../base/index.ts";

/** Ids of DESIGN.md section 2 and `_site`: nothing else becomes a directory name. */
const tenantPattern = /^(?:_site|[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)$/;
const hashPattern = /^[0-9a-f]{64}$/;

export interface ObjectPath {
  /** From the area's root down: each may have to be made. */
  readonly directories: readonly string[];
  readonly file: string;
}

/** `<area>/<tenant>/<aa>/<sha256>`. A tenant or hash that is none is refused before it touches the disk. */
export function objectPath(area: string, tenant: string, sha256: string): ObjectPath {
  const ofTenant = join(area, checkedTenant(tenant));
  if (!hashPattern.test(sha256)) throw new Fault("ARTIFACT_MISSING", "not a SHA-256 in lower-case hex");
  const shard = join(ofTenant, sha256.slice(0, 2));
  return { directories: [ofTenant, shard], file: join(shard, sha256) };
}

export function checkedTenant(tenant: string): string {
  if (!tenantPattern.test(tenant)) throw new Fault("ARTIFACT_MISSING", "not a tenant id");
  return tenant;
}
