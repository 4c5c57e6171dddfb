import { lookup } from "node:dns/promises";
import { connect, type Socket } from "node:net";

const dialMs = 10_000;

/** The machine's resolver: every address of a name, in its order. */
export async function resolveAddresses(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}

/** A connection to exactly this address; rejects after ten seconds. */
export function dialAddress(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, noDelay: true });
    const onEnd = (error?: Error): void => {
      socket.destroy();
      reject(error ?? new Error("not connected in time"));
    };
    socket.setTimeout(dialMs, onEnd);
    socket.once("error", onEnd);
    socket.once("connect", () => {
      socket.setTimeout(0);
      socket.removeAllListeners("timeout").off("error", onEnd);
      resolve(socket);
    });
  });
}
