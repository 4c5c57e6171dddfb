/** One statement. `name` prepares it once per connection: one text a name. */
export interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly name?: string;
}

/** What a row may be read as: int8 is a safe number, timestamptz a Date, bytea a Buffer. */
export type Row = Readonly<Record<string, unknown>>;

/** A transaction in flight. */
export interface Session {
  query<R extends Row>(statement: Statement): Promise<readonly R[]>;
  /** Holds the rest of the transaction to one tenant. A statement of its own: in the same one the policies ran before. */
  actAs(tenant: string): Promise<void>;
}

/** A connection of its own, for a loop that never shares. Statements commit alone. */
export interface Connection {
  query<R extends Row>(statement: Statement): Promise<readonly R[]>;
  /** Ends it even while a statement is in flight. */
  destroy(): Promise<void>;
}

export interface TransactionOptions {
  readonly isolation?: "read committed" | "repeatable read";
}

/**
 * PostgreSQL as one tenant at a time. Every failure is a Fault: STORE_CONFLICT (another writer was first: look again),
 * DATABASE_UNAVAILABLE (down, or the commit was not heard), DATABASE_CONTENT (a value that it cannot keep), INTERNAL.
 */
export interface Database {
  readonly server: { readonly kind: "embedded" | "external"; readonly major: number };
  /** Runs `work` in a transaction that sees rows of `tenant` alone. */
  withTenant<T>(tenant: string, work: (session: Session) => Promise<T>): Promise<T>;
  /** A transaction that sees no row until it acts as a tenant; for the cross-tenant functions. */
  transaction<T>(work: (session: Session) => Promise<T>, options?: TransactionOptions): Promise<T>;
  connect(name: string): Promise<Connection>;
  /** Owner's job: the ledger's monthly partitions around `now`. At start and once a day; answers how many were made. */
  makePartitions(now: Date): Promise<number>;
  /** PostgreSQL's clock minus `now`, in ms. */
  clockSkewMs(now: () => Date): Promise<number>;
  close(): Promise<void>;
}
