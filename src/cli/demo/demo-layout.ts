import path from "node:path";

/** Everything of the demo lies in one folder: delete it and nothing is left. */
export interface DemoLayout {
  readonly dataDir: string;
  /** The bare spec repository, which also holds the audit branch. */
  readonly repository: string;
  /** A clone to play in, set to sign with the demo person's key. */
  readonly work: string;
  readonly personKey: string;
  /** Public key of the recorder, outside of the repository. */
  readonly auditSigners: string;
  readonly log: string;
}

export const demoSite = "demo";
export const demoPerson = "dev@demo.example";
export const specRef = "refs/heads/main";
export const auditBranch = `refs/heads/audit/${demoSite}`;

export function demoLayout(dataDir: string): DemoLayout {
  const below = (...parts: string[]): string => path.join(dataDir, ...parts);
  return {
    dataDir,
    repository: below("specs.git"),
    work: below("work"),
    personKey: below("demo", "dev_key"),
    auditSigners: below("audit_signers"),
    log: below("daemon.log"),
  };
}
