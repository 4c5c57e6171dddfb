import * as http from "node:http";
import * as https from "node:https";
import { createRequire, syncBuiltinESMExports } from "node:module";
import type { Socket } from "node:net";
import * as tls from "node:tls";
import { Agent, buildConnector, fetch, setGlobalDispatcher } from "undici";
import type { FetchOrder, FetchPort } from "./fetch-port.ts";
import type { FetchReply } from "./realm/fetch.ts";

const maxResponseBytes = 32 * 1024 * 1024;
type Connected = (error: Error | null, socket: Socket | null) => void;

// Not `agent: false`, which makes another of globalAgent's class: ours, for ever.
const brokerAgent = new http.Agent();

/** CONNECT through the broker; TLS stays end to end inside the tunnel. */
function tunnel(socketPath: string, target: string, done: Connected): void {
  const request = http.request({ socketPath, method: "CONNECT", path: target, agent: brokerAgent });
  request.once("connect", (response, socket) => {
    if (response.statusCode === 200) {
      done(null, socket);
      return;
    }
    socket.destroy();
    const reason = response.headers["x-egress-reason"];
    done(refusal(target, response.statusCode ?? 0, typeof reason === "string" ? reason : "refused"), null);
  });
  request.once("error", (error) => done(Object.assign(error, { transient: true }), null));
  request.end();
}

function refusal(target: string, status: number, reason: string): Error {
  const denied = status === 403;
  const message = denied ? `egress to ${target} denied: ${reason}` : `egress to ${target} failed: ${reason}`;
  return Object.assign(new Error(message), { code: denied ? "EGRESS_DENIED" : "STEP_FAILED", transient: !denied });
}

function dispatcherOf(socketPath: string): Agent {
  const secure = buildConnector({});
  return new Agent({
    connect: (options, callback) => {
      const isTls = options.protocol === "https:";
      const port = options.port === "" ? (isTls ? "443" : "80") : options.port;
      tunnel(socketPath, `${options.hostname}:${port}`, (error, socket) => {
        if (socket === null) callback(error ?? new Error("no tunnel"), null);
        else if (isTls) secure({ ...options, httpSocket: socket }, callback);
        else callback(null, socket);
      });
    },
  });
}

/** Makes `fetch` of the thread, and http and https of plugins with isolation `host`, go through the broker. */
export function openEgress(socketPath: string): FetchPort {
  const dispatcher = dispatcherOf(socketPath);
  setGlobalDispatcher(dispatcher);
  // Node's own fetch is another version of undici.
  Object.assign(globalThis, { fetch: explainedFetch });
  routeAgents(socketPath);
  const aborts = new Map<number, AbortController>();
  return {
    abort: (call) => aborts.get(call)?.abort(),
    fetch: async (order, body, signal) => {
      const abort = new AbortController();
      aborts.set(order.call, abort);
      try {
        return await fetched(order, body, AbortSignal.any([signal, abort.signal]));
      } catch (error) {
        return { reply: failedReply(order.call, error), bytes: null };
      } finally {
        aborts.delete(order.call);
      }
    },
  };
}

async function fetched(order: FetchOrder, body: Uint8Array | null, signal: AbortSignal) {
  const response = await fetch(order.url, {
    method: order.method,
    redirect: order.redirect === "manual" || order.redirect === "error" ? order.redirect : "follow",
    headers: order.headers.map(([name, value]): [string, string] => [name, value]),
    body: body === null ? null : Buffer.from(body),
    signal,
  });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    const piece = chunk as Uint8Array;
    length += piece.length;
    if (length > maxResponseBytes) throw new Error("the response is over 32 MiB");
    chunks.push(piece);
  }
  const { status, statusText, url, redirected } = response;
  const reply: FetchReply = {
    call: order.call,
    error: null,
    status,
    statusText,
    url,
    redirected,
    headers: [...response.headers],
  };
  return { reply, bytes: Buffer.concat(chunks) };
}

/** `fetch` of isolation `host`: what it throws says why, as in a realm. */
const explainedFetch: typeof fetch = async (...order) => {
  try {
    return await fetch(...order);
  } catch (error) {
    const isAbort = error instanceof Error && error.name === "AbortError";
    throw isAbort ? error : Object.assign(new TypeError("fetch failed", { cause: error }), fetchFailure(error));
  }
};

/** undici hides why behind "fetch failed": the broker's word is in the causes. */
function fetchFailure(error: unknown): NonNullable<FetchReply["error"]> {
  let cause: unknown = error;
  for (let depth = 0; depth < 5 && cause instanceof Error && cause.cause instanceof Error; depth++) cause = cause.cause;
  const root =
    cause instanceof Error ? (cause as Error & { code?: unknown; transient?: unknown }) : new Error("fetch failed");
  const code = "code" in root && root.code === "EGRESS_DENIED" ? "EGRESS_DENIED" : "STEP_FAILED";
  // A request that is wrong in itself is wrong again the next time; a connection may not be.
  const transient = code !== "EGRESS_DENIED" && !(root instanceof TypeError);
  const message = code === "EGRESS_DENIED" ? root.message : `fetch failed: ${root.message}`;
  return { code, message, transient };
}

function failedReply(call: number, error: unknown): FetchReply {
  return {
    call,
    error: fetchFailure(error),
    status: 0,
    statusText: "",
    url: "",
    redirected: false,
    headers: [],
  };
}

/** Node's own clients, for plugins with isolation `host` that declare them. */
function routeAgents(socketPath: string): void {
  const plain = new http.Agent();
  const secure = new https.Agent();
  // `createConnection` is the documented way in; its types know only the synchronous form.
  Object.assign(plain, {
    createConnection: (options: http.ClientRequestArgs, done: Connected): void =>
      tunnel(socketPath, `${options.host ?? "localhost"}:${options.port ?? 80}`, done),
  });
  Object.assign(secure, {
    createConnection: (options: https.RequestOptions, done: Connected): void => {
      const host = options.host ?? "localhost";
      tunnel(socketPath, `${host}:${options.port ?? 443}`, (error, socket) => {
        if (socket === null) done(error, null);
        else
          done(
            null,
            tls.connect({ ...(options as tls.ConnectionOptions), socket, servername: options.servername ?? host }),
          );
      });
    },
  });
  // The CommonJS objects: a bundle's view of the module is a copy.
  const load = createRequire(__filename);
  Object.assign(load("node:http") as object, { globalAgent: plain });
  Object.assign(load("node:https") as object, { globalAgent: secure });
  syncBuiltinESMExports();
}
