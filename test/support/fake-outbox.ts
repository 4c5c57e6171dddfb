import type { WaitingBody } from "../../src/record/index.ts";
import type {
  AuditOutbox,
  DrainedBatch,
  DrainedSkip,
  PreparedBatch,
  SealedRecord,
  StoredBatch,
} from "../../src/store/index.ts";

interface Waiting {
  readonly body: WaitingBody;
  readonly sinceUtc: string;
  batch: number | null;
}

/** The outbox in memory, each call one transaction. It outlives recorders, as a database does. */
export class FakeOutbox implements AuditOutbox {
  readonly #waiting: Waiting[] = [];
  readonly #skips: { readonly skip: DrainedSkip; batch: number | null }[] = [];
  readonly batches: StoredBatch[] = [];
  readonly records: SealedRecord[] = [];
  readonly drains: { readonly batch: number; readonly limit: number }[] = [];
  #nowUtc: () => string;

  constructor(nowUtc: () => string) {
    this.#nowUtc = nowUtc;
  }

  put(...bodies: readonly WaitingBody[]): void {
    this.#waiting.push(...bodies.map((body) => ({ body, sinceUtc: this.#nowUtc(), batch: null })));
  }

  /** An open range of skipped slots. */
  skip(skip: DrainedSkip): void {
    this.#skips.push({ skip, batch: null });
  }

  pending(): ReturnType<AuditOutbox["pending"]> {
    const count = this.#waiting.length;
    return Promise.resolve({ count, oldestUtc: this.#waiting[0]?.sinceUtc ?? null });
  }

  lastBatch(): Promise<StoredBatch | null> {
    return Promise.resolve(this.batches.at(-1) ?? null);
  }

  drain({ batch, limit, now }: Parameters<AuditOutbox["drain"]>[0]): Promise<DrainedBatch> {
    this.drains.push({ batch, limit });
    for (const row of this.#waiting) {
      if (this.#waiting.filter((other) => other.batch === batch).length < limit) row.batch ??= batch;
    }
    const marked = this.#waiting.filter((row) => row.batch === batch);
    const tenants = new Set(marked.map(({ body }) => body.tenant));
    for (const row of this.#skips) {
      if (tenants.has(row.skip.tenant) || row.skip.to.slice(0, 10) < now.slice(0, 10)) row.batch ??= batch;
    }
    const skips = this.#skips.filter((row) => row.batch === batch).map(({ skip }) => skip);
    for (const { tenant } of skips) tenants.add(tenant);
    const bodies = marked.map(({ body }) => ({ ...body, ...idsOf(body) }));
    return Promise.resolve({ bodies, skips, chains: [...tenants].map((tenant) => this.#chainOf(tenant)) });
  }

  prepare(batch: PreparedBatch): Promise<void> {
    const last = this.batches.at(-1);
    if (last?.state === "prepared" || batch.batch !== (last?.batch ?? 0) + 1) throw new Error("out of turn");
    this.batches.push({ ...structuredClone(batch), state: "prepared" });
    return Promise.resolve();
  }

  seal(batch: number, records: readonly SealedRecord[]): Promise<void> {
    const at = this.batches.findIndex((stored) => stored.batch === batch);
    const stored = this.batches[at];
    if (stored === undefined) throw new Error("sealed what was not prepared");
    if (stored.state === "prepared") this.records.push(...records);
    this.batches[at] = { ...stored, state: "done" };
    remove(this.#waiting, (row) => row.batch === batch);
    remove(this.#skips, (row) => row.batch === batch);
    return Promise.resolve();
  }

  #chainOf(tenant: string) {
    const last = this.records.findLast((record) => record.tenant === tenant);
    return { tenant, lastSeq: last?.seq ?? 0, lastLine: last?.line ?? null, horizon: null };
  }
}

function idsOf({ bodyText }: WaitingBody) {
  const { recordId, dagId, runId } = JSON.parse(bodyText) as { recordId: string; dagId?: string; runId?: string };
  return { recordId, dagId: dagId ?? null, runId: runId ?? null };
}

function remove<T>(list: T[], isGone: (item: T) => boolean): void {
  for (let at = list.length - 1; at >= 0; at--) {
    const item = list[at];
    if (item !== undefined && isGone(item)) list.splice(at, 1);
  }
}
