import { Fault } from "../../base/index.ts";
import type { Row, Session } from "../../database/index.ts";
import type { NewSite, ObservedSite, SiteChange } from "../revision-store.ts";
import { hashBytes, hexOfBytes } from "./column-codec.ts";
import { replaceConditions } from "./conditions.ts";
import { insertBody } from "./outbox-row.ts";

/** What belongs to no tenant stands under this name; no tenant can be called so. */
export const siteTenant = "_site";

interface SiteRow extends Row {
  readonly site: string;
  readonly spec_ref: string;
  readonly verified_revision: string | null;
  readonly signers_sha256: Buffer;
  readonly trusted_by: "pinned" | "first_use";
  readonly tenants: readonly string[];
}

export async function observeSite(session: Session): Promise<ObservedSite | null> {
  const [row] = await session.query<SiteRow>({ text: "select * from site where tenant_id = '_site'" });
  if (row === undefined) return null;
  return {
    site: row.site,
    specRef: row.spec_ref,
    verifiedRevision: row.verified_revision,
    signersSha256: hexOfBytes(row.signers_sha256),
    trustedBy: row.trusted_by,
    tenants: row.tenants,
  };
}

export async function createSite(session: Session, site: NewSite): Promise<void> {
  const made = await session.query({
    text: `insert into site (site, spec_ref, signers_sha256, trusted_by) values ($1, $2, $3, $4)
      on conflict do nothing returning site`,
    values: [site.site, site.specRef, hashBytes(site.signersSha256), site.trustedBy],
  });
  if (made.length > 0) {
    await insertBody(session, siteTenant, site.record);
    return;
  }
  const found = await observeSite(session);
  if (found?.site !== site.site) {
    throw new Fault("DATA_DIR_SITE", `this database serves site ${found?.site ?? "?"}, not ${site.site}`);
  }
}

export async function applySite(session: Session, change: SiteChange): Promise<void> {
  const moved = await session.query({
    text: `update site set verified_revision = $2,
        tenants = array(select distinct t collate "C" from unnest(tenants || $3::text[]) t order by 1)
      where tenant_id = '_site' and verified_revision is not distinct from $1 returning site`,
    values: [change.from, change.to, change.tenants],
  });
  if (moved.length === 0) throw new Fault("STORE_CONFLICT", "another writer moved the verified revision first");
  await insertBody(session, siteTenant, change.record);
  await replaceConditions(session, siteTenant, change.conditions, change.now);
}

export async function acceptHistory(
  session: Session,
  { from, to, record }: Pick<SiteChange, "from" | "to" | "record">,
): Promise<void> {
  const moved = await session.query({
    text: `update site set verified_revision = $2 where tenant_id = '_site' and verified_revision = $1 returning site`,
    values: [from, to],
  });
  if (moved.length === 0) throw new Fault("STORE_CONFLICT", "the verified revision moved meanwhile");
  await insertBody(session, siteTenant, record);
}

/** Adds a tenant to those ever applied, in the transaction that applies it first. */
export async function noteTenant(session: Session, tenant: string): Promise<void> {
  await session.actAs(siteTenant);
  await session.query({
    text: `update site set tenants = array(select distinct t collate "C" from unnest(tenants || $1::text) t order by 1)
      where tenant_id = '_site' and not ($1 = any (tenants))`,
    values: [tenant],
  });
}
