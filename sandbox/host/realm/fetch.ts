import { stepError } from "../step-error.ts";
import { bytesOf } from "./encoding.ts";
import type { AbortSignal } from "./events.ts";
import { Headers } from "./headers.ts";
import { type HostCall, textOf } from "./host-call.ts";

export interface FetchReply {
  readonly call: number;
  readonly error: { readonly code: string; readonly message: string; readonly transient: boolean } | null;
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly redirected: boolean;
  readonly headers: readonly (readonly [string, string])[];
}

export interface FetchParts {
  readonly host: HostCall;
  readonly encode: (text: string) => Uint8Array;
  readonly traceparent: string;
  readonly post: (message: object, bytes: Uint8Array | null) => void;
}

interface FetchInit {
  readonly method?: string;
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly redirect?: string;
  readonly signal?: AbortSignal | null;
}

export interface Fetch {
  readonly globals: Record<string, unknown>;
  readonly deliver: (reply: FetchReply, bytes: Uint8Array | null) => void;
}

/** `fetch` on whole bytes: the request leaves as one message, the answer comes as one. Without a broker it is refused. */
export function fetchOf(parts: FetchParts): Fetch {
  const waiting = new Map<number, (reply: FetchReply, bytes: Uint8Array | null) => void>();
  const Response = responseClass(parts);
  let calls = 0;

  const fetch = async (input: unknown, init: FetchInit = {}): Promise<unknown> => {
    const call = ++calls;
    const headers = new Headers(init.headers);
    if (!headers.has("traceparent")) headers.set("traceparent", parts.traceparent);
    const body = bodyBytes(init.body, headers, parts.encode);
    const message = {
      t: "fetch",
      call,
      url: String(input),
      method: init.method ?? "GET",
      redirect: init.redirect ?? "follow",
      headers: [...headers],
    };
    init.signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        waiting.delete(call);
        parts.post({ t: "fetchAbort", call }, null);
        reject(errorOf(init.signal?.reason));
      };
      init.signal?.addEventListener("abort", onAbort, { once: true });
      waiting.set(call, (reply, bytes) => {
        init.signal?.removeEventListener("abort", onAbort);
        if (reply.error === null) resolve(new Response(bytes ?? undefined, reply));
        else reject(stepError(reply.error.code, reply.error.message, reply.error.transient));
      });
      parts.post(message, body);
    });
  };
  return {
    globals: { fetch, Headers, Response },
    deliver: (reply, bytes) => {
      const settle = waiting.get(reply.call);
      waiting.delete(reply.call);
      settle?.(reply, bytes);
    },
  };
}

const errorOf = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));

function bodyBytes(body: unknown, headers: Headers, encode: (text: string) => Uint8Array): Uint8Array | null {
  if (body === undefined || body === null) return null;
  if (ArrayBuffer.isView(body) || body instanceof ArrayBuffer) return bytesOf(body).slice();
  const isForm = typeof body === "object" && "getAll" in body;
  const type = isForm ? "application/x-www-form-urlencoded;charset=UTF-8" : "text/plain;charset=UTF-8";
  if (!headers.has("content-type")) headers.set("content-type", type);
  return encode(body as string);
}

function responseClass({ host, encode }: FetchParts) {
  return class Response {
    readonly status: number;
    readonly statusText: string;
    readonly url: string;
    readonly redirected: boolean;
    readonly headers: Headers;
    bodyUsed = false;
    readonly #bytes: Uint8Array;

    constructor(body?: unknown, init: Partial<Omit<FetchReply, "headers">> & { readonly headers?: unknown } = {}) {
      this.status = init.status ?? 200;
      this.statusText = init.statusText ?? "";
      this.url = init.url ?? "";
      this.redirected = init.redirected ?? false;
      this.headers = new Headers(init.headers);
      this.#bytes = bodyBytes(body, this.headers, encode) ?? new Uint8Array(0);
    }
    get ok(): boolean {
      return this.status >= 200 && this.status < 300;
    }
    async bytes(): Promise<Uint8Array> {
      if (this.bodyUsed) throw new TypeError("body used already");
      this.bodyUsed = true;
      return Promise.resolve(this.#bytes);
    }
    async arrayBuffer(): Promise<ArrayBufferLike> {
      return (await this.bytes()).slice().buffer;
    }
    async text(): Promise<string> {
      return textOf(host("utf8Read", await this.bytes())).replace(/^\ufeff/, "");
    }
    async json(): Promise<unknown> {
      return JSON.parse(await this.text()) as unknown;
    }
  };
}
