import type { Hex, UtcText } from "../base/index.ts";
import type { Oid } from "../git/index.ts";
import { emptyFrontier, type FrontierState } from "../record/index.ts";

/** Where the branch ends: all that the next batch is judged by. */
export interface SignedHead {
  /** 0 before the first. */
  readonly batch: number;
  readonly commit: Oid | null;
  readonly tree: Oid | null;
  readonly timestamp: UtcText | null;
  readonly frontier: FrontierState;
  /** By tenant, in byte order. */
  readonly chains: readonly SignedChain[];
}

export interface SignedChain {
  readonly tenant: string;
  readonly seq: number;
  /** SHA-256 of the last line without LF: `prev` of the next. */
  readonly prev: Hex;
}

export const emptyHead: SignedHead = {
  batch: 0,
  commit: null,
  tree: null,
  timestamp: null,
  frontier: emptyFrontier,
  chains: [],
};
