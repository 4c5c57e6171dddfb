import { parseCheckpoint } from "../checkpoint.ts";
import type { FindingList } from "./audit-report.ts";

/** Compares the branch with a checkpoint that was kept elsewhere: the only way to see that the newest records are gone. */
export class WitnessCheck {
  readonly #text: string | null;
  #found: "not_yet" | "same" | "other" = "not_yet";

  constructor(text: string | null) {
    this.#text = text;
  }

  /** The tree as it stands after a batch. */
  seen(size: number, checkpoint: string): void {
    if (this.#text === null || parseCheckpoint(this.#text)?.size !== size) return;
    this.#found = checkpoint === this.#text ? "same" : "other";
  }

  report(findings: FindingList, { site, size }: { readonly site: string | null; readonly size: number }): void {
    if (this.#text === null || this.#found === "same") return;
    const kept = parseCheckpoint(this.#text);
    if (kept === null) findings.add("AUDIT_CHECKPOINT", {}, "the kept checkpoint is none");
    else if (site !== null && kept.site !== site) {
      findings.add("AUDIT_CHECKPOINT", {}, `the kept checkpoint is of site ${kept.site}, not ${site}`);
    } else if (size < kept.size) {
      findings.add(
        "AUDIT_TRUNCATED",
        {},
        `the branch ends at ${String(size)} records, the kept checkpoint counts ${String(kept.size)}`,
      );
    } else {
      findings.add(
        "AUDIT_TRUNCATED",
        {},
        `the first ${String(kept.size)} records are not those that the kept checkpoint was of`,
      );
    }
  }
}
