import type { CodeName } from "../../base/index.ts";

/** Why a commit may not stand. */
export interface Refusal {
  readonly kind: "refused";
  readonly code: CodeName;
  readonly message: string;
}

export const refused = (code: CodeName, message: string): Refusal => ({ kind: "refused", code, message });
