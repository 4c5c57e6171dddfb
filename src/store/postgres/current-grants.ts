import type { Row, Session } from "../../database/index.ts";
import { decodeSnapshot } from "../../spec/index.ts";
import type { CurrentGrants } from "../revision-store.ts";

interface GrantsRow extends Row {
  readonly applied_revision: string;
  readonly bytes: Buffer | null;
}

/** One statement, so that revision and allowlist are of one instant; the snapshot is read only where it moved. */
export async function readCurrentGrants(
  session: Session,
  tenant: string,
  known: string | null,
): Promise<CurrentGrants> {
  const [row] = await session.query<GrantsRow>({
    name: "current_grants",
    text: `select t.applied_revision, case when t.applied_revision is distinct from $2 then b.bytes end as bytes
      from tenant t join blob b on b.tenant_id = t.tenant_id and b.sha256 = t.snapshot where t.tenant_id = $1`,
    values: [tenant, known],
  });
  // A tenant that was never applied has no runs; nothing is granted to it.
  if (row === undefined) return { revision: "", allowlist: { plugins: [], endpoints: [], secrets: [] } };
  const allowlist = row.bytes === null ? null : decodeSnapshot(row.bytes.toString("utf8")).allowlist;
  return { revision: row.applied_revision, allowlist };
}
