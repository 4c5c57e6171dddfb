/** The whole configuration of one installation, decoded once and deep-frozen; rooms receive their own slice. */
export interface Config {
  readonly site: string;
  readonly specRef: string;
  /** Absolute path of the spec repository. */
  readonly repository: string;
  /** Absolute path of the data directory. */
  readonly dataDir: string;
  /** Credentials of the service manager; null = none. */
  readonly credentialsDir: string | null;
  readonly http: Listen;
  readonly metrics: Listen;
  readonly audit: { readonly repository: string | null; readonly maxLagMs: number };
  readonly sandbox: {
    readonly minLevel: Level;
    readonly allowWeak: { readonly level: Level; readonly reason: string } | null;
    /** null = 2 a core. */
    readonly hosts: number | null;
  };
  readonly uidsBase: number;
  /** null = the embedded server. May hold a password: never logged. */
  readonly databaseUrl: string | null;
  /** Path of the signers file that the operator pinned. */
  readonly pinnedSigners: string | null;
}

export type Level = "sealed" | "confined" | "process";

export interface Listen {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
}

/** Where a value came from, for `config check`: flag > environment > file > default. */
export type Origin = "flag" | "environment" | "file" | "default";
