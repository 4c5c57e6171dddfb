import type { Allowlist } from "../../spec/index.ts";

/** Current allowlists of the tenants that this worker runs, read again when their applied revision moves. */
export interface GrantCache {
  /** The allowlist now; reads it when it is not held. */
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

type ReadAllowlist = (tenant: string, signal: AbortSignal) => Promise<Allowlist>;

interface Held {
  /** null = read without knowing of which revision. */
  readonly revision: string | null;
  readonly allowlist: Allowlist;
  /** The last read failed: nothing is granted at a connect, and a step start reads again. */
  readonly isStale: boolean;
}

const nothing: Allowlist = { plugins: [], endpoints: [], secrets: [] };

export function createGrantCache(readAllowlist: ReadAllowlist): GrantCache {
  const held = new Map<string, Held>();
  return {
    read: async (tenant, signal) => {
      const known = held.get(tenant);
      if (known?.isStale === false) return known.allowlist;
      const allowlist = await readAllowlist(tenant, signal);
      // A revision that arrived while this was read has its own read: never put an older one over it.
      const newer = held.get(tenant);
      if (newer?.isStale === false) return newer.allowlist;
      held.set(tenant, { revision: null, allowlist, isStale: false });
      return allowlist;
    },
    held: (tenant) => held.get(tenant)?.allowlist ?? null,
    follow: async (revisions, signal) => {
      const moved = Object.entries(revisions).filter(
        ([tenant, revision]) => held.has(tenant) && held.get(tenant)?.revision !== revision,
      );
      const reads = await Promise.allSettled(
        moved.map(async ([tenant, revision]) => {
          try {
            const allowlist = await readAllowlist(tenant, signal);
            if (held.has(tenant)) held.set(tenant, { revision, allowlist, isStale: false });
          } catch (error) {
            if (held.has(tenant)) held.set(tenant, { revision: null, allowlist: nothing, isStale: true });
            throw error;
          }
        }),
      );
      const failed = reads.find((read) => read.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
    forget: (tenant) => held.delete(tenant),
  };
}
