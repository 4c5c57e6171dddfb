import type { Row, Session } from "../../database/index.ts";
import type { TenantChange } from "../revision-store.ts";
import { hashBytes, hexOfBytes } from "./column-codec.ts";

interface PinRow extends Row {
  readonly plugin: string;
  readonly sha256: Buffer;
}

/** Digest of the manifest of every plugin version that the tenant was ever pinned to, by `name@version`. */
export async function readPins(session: Session, tenant: string): Promise<Readonly<Record<string, string>>> {
  const rows = await session.query<PinRow>({
    text: "select plugin, sha256 from plugin_version where tenant_id = $1",
    values: [tenant],
  });
  return Object.fromEntries(rows.map(({ plugin, sha256 }) => [plugin, hexOfBytes(sha256)]));
}

/** The first digest of a version is its digest for ever. */
export async function insertPins(session: Session, { tenant, pins, to, now }: TenantChange): Promise<void> {
  if (pins.length === 0) return;
  await session.query({
    text: `insert into plugin_version (tenant_id, plugin, sha256, commit_id, at)
      select $1, p.plugin, p.sha256, $4, $5 from unnest($2::text[], $3::bytea[]) as p (plugin, sha256)
      on conflict do nothing`,
    values: [tenant, pins.map(({ plugin }) => plugin), pins.map(({ sha256 }) => hashBytes(sha256)), to, now],
  });
}
