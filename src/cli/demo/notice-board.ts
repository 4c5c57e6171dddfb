import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Fault } from "../../base/index.ts";

/** The endpoint that the example's notify.post reaches: it takes notices on loopback and keeps them. */
export interface NoticeBoard extends AsyncDisposable {
  readonly port: number;
  readonly notices: readonly Notice[];
}

export interface Notice {
  readonly idempotencyKey: string;
  readonly body: string;
}

export const boardPort = 7436;
const maxBytes = 64 * 1024;

/** `wanted`, or any free port where that one is taken and `anyPort` allows it. */
export async function openNoticeBoard(wanted: number, anyPort: boolean): Promise<NoticeBoard> {
  const notices: Notice[] = [];
  const seen = new Set<string>();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    request.on("data", (part: Buffer) => {
      bytes += part.length;
      if (bytes <= maxBytes) parts.push(part);
    });
    request.on("end", () => {
      const key = request.headers["idempotency-key"];
      if (request.method !== "POST" || typeof key !== "string" || bytes > maxBytes) {
        response.writeHead(400).end();
        return;
      }
      // A key that was seen is answered again without a second notice.
      if (!seen.has(key)) notices.push({ idempotencyKey: key, body: Buffer.concat(parts).toString("utf8") });
      seen.add(key);
      response.writeHead(202).end();
    });
  });
  const port = await listen(server, wanted).catch((error: unknown) => {
    if (!anyPort)
      throw new Fault("CONFIG_INVALID", `port ${wanted} of the demo's notice board is taken`, { cause: error });
    return listen(server, 0);
  });
  return {
    port,
    notices,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
