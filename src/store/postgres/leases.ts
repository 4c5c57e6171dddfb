import type { Database } from "../../database/index.ts";
import type { LeaseStore } from "../lease-store.ts";
import { siteTenant } from "./site.ts";

export function createLeaseStore(database: Database): LeaseStore {
  return {
    hold: (name, holder, ttlMs) =>
      database.withTenant(siteTenant, async (session) => {
        // Only the server's clock: a holder whose own clock is wrong must not keep or lose a lease by it.
        const [row] = await session.query<{ epoch: number }>({
          name: "hold_lease",
          text: `insert into lease as l (name, holder, epoch, until) values ($1, $2, 1, now() + make_interval(secs => $3 / 1000.0))
            on conflict (tenant_id, name) do update set holder = $2, until = now() + make_interval(secs => $3 / 1000.0),
              epoch = case when l.holder = $2 and l.until >= now() then l.epoch else l.epoch + 1 end
            where l.holder = $2 or l.until < now() returning epoch`,
          values: [name, holder, ttlMs],
        });
        return row?.epoch ?? null;
      }),
    release: (name, holder) =>
      database.withTenant(siteTenant, async (session) => {
        await session.query({
          text: "update lease set until = '-infinity' where tenant_id = '_site' and name = $1 and holder = $2",
          values: [name, holder],
        });
      }),
  };
}
