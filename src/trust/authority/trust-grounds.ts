import type { RepositorySpec } from "../../spec/index.ts";
import { type AllowedSigners, parseAllowedSigners } from "../signers/allowed-signers.ts";

export type TrustPolicy = RepositorySpec["trust"];

/** What one tree says about who may commit on top of it. */
export interface TrustGrounds {
  readonly policy: TrustPolicy;
  /** Null where the tree has no signers file: nobody may sign. */
  readonly signersText: string | null;
  readonly allowed: AllowedSigners;
  /** Public key blobs of the sites' recorders. */
  readonly recorderKeys: readonly Uint8Array[];
}

export interface TreeReader {
  /** Text of `keys/spec_signers` in this tree, or null. */
  readSigners(tree: string): string | null;
  /** `spec.trust` of `orrery.yaml`; null where it is missing or does not decode: then `require`, `firstParent`. */
  readPolicy(tree: string): TrustPolicy | null;
  /** Public key blobs in `sites/*.yaml`. */
  recorderKeys(tree: string): readonly Uint8Array[];
}

export const strictPolicy: TrustPolicy = { commits: "require", merges: "firstParent" };

export function readGrounds(reader: TreeReader, tree: string): TrustGrounds {
  const signersText = reader.readSigners(tree);
  return {
    policy: reader.readPolicy(tree) ?? strictPolicy,
    signersText,
    allowed: parseAllowedSigners(signersText ?? ""),
    recorderKeys: reader.recorderKeys(tree),
  };
}
