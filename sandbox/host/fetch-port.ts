import type { FetchReply } from "./realm/fetch.ts";

export interface FetchOrder {
  readonly call: number;
  readonly url: string;
  readonly method: string;
  readonly redirect: string;
  readonly headers: readonly (readonly [string, string])[];
}

/** The host's side of `fetch`; egress.cjs implements it over the broker's socket. */
export interface FetchPort {
  fetch(
    order: FetchOrder,
    body: Uint8Array | null,
    signal: AbortSignal,
  ): Promise<{ readonly reply: FetchReply; readonly bytes: Uint8Array | null }>;
  abort(call: number): void;
}
