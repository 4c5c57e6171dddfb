import type { Allowlist } from "../../spec/index.ts";
import type { CurrentGrants } from "../../store/index.ts";

/** Current allowlists of the tenants that this worker runs, for connects; asked anew at each step start. */
export interface GrantCache {
  /** The allowlist as applied now: what an apply took away before this call is gone in its answer. */
  read(tenant: string, signal: AbortSignal): Promise<Allowlist>;
  /** Without waiting, for a connect: null where none was ever read, which grants nothing. */
  held(tenant: string): Allowlist | null;
  /**
   * Follows the applied revisions of the tenants that are held; reads what moved. Rejects when a read did: that tenant
   * is granted nothing until it is read again, the others go on.
   */
  follow(revisions: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void>;
  /** When the last run of a tenant is gone. */
  forget(tenant: string): void;
}

type ReadGrants = (tenant: string, known: string | null, signal: AbortSignal) => Promise<CurrentGrants>;

interface Held {
  /** null = the last read failed: nothing is granted at a connect. */
  readonly revision: string | null;
  readonly allowlist: Allowlist;
  /** Which read this is of: an older answer never goes over a newer one. */
  readonly read: number;
}

const nothing: Allowlist = { plugins: [], endpoints: [], secrets: [] };

export function createGrantCache(readGrants: ReadGrants): GrantCache {
  const held = new Map<string, Held>();
  let reads = 0;
  const ask = async (tenant: string, signal: AbortSignal): Promise<Held> => {
    reads += 1;
    const read = reads;
    const known = held.get(tenant);
    const { revision, allowlist } = await readGrants(tenant, known?.revision ?? null, signal);
    return { revision, allowlist: allowlist ?? known?.allowlist ?? nothing, read };
  };
  const keep = (tenant: string, answer: Held): void => {
    if ((held.get(tenant)?.read ?? 0) < answer.read) held.set(tenant, answer);
  };
  return {
    read: async (tenant, signal) => {
      const answer = await ask(tenant, signal);
      keep(tenant, answer);
      return answer.allowlist;
    },
    held: (tenant) => held.get(tenant)?.allowlist ?? null,
    follow: async (revisions, signal) => {
      const moved = Object.entries(revisions).filter(
        ([tenant, revision]) => held.has(tenant) && held.get(tenant)?.revision !== revision,
      );
      const answers = await Promise.allSettled(
        moved.map(async ([tenant]) => {
          const before = reads + 1;
          try {
            const answer = await ask(tenant, signal);
            if (held.has(tenant)) keep(tenant, answer);
          } catch (error) {
            if (held.has(tenant)) keep(tenant, { revision: null, allowlist: nothing, read: before });
            throw error;
          }
        }),
      );
      const failed = answers.find((answer) => answer.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
    forget: (tenant) => held.delete(tenant),
  };
}
