import { mkdtemp, rm, stat } from "node:fs/promises";
import { request } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/index.ts";
import {
  createEgressBroker,
  dialAddress,
  type EgressBrokerOptions,
  type EgressDecision,
  type EgressEvent,
} from "../../../src/egress/index.ts";

interface Answer {
  readonly status: number;
  readonly reason: string | undefined;
  readonly socket: Socket;
}

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** An echo server on loopback that knows how often it was dialled. */
async function echo(): Promise<{ port: number; dialled: () => number }> {
  let dialled = 0;
  const server: Server = createServer((socket) => {
    dialled++;
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => new Promise((resolve) => server.close(() => resolve())));
  return { port: (server.address() as AddressInfo).port, dialled: () => dialled };
}

async function setup(
  over: Partial<EgressBrokerOptions> & { resolve?: (host: string) => Promise<readonly string[]> } = {},
) {
  const dir = await mkdtemp(join(tmpdir(), "egr-"));
  const socketPath = join(dir, "broker.sock");
  const lookups: string[] = [];
  const broker = createEgressBroker(
    {
      clock: systemClock,
      resolve: (host) => {
        lookups.push(host);
        return over.resolve?.(host) ?? Promise.resolve(["127.0.0.1"]);
      },
      dial: dialAddress,
    },
    { socketPath, owner: null, maxTunnels: 4, idleMs: 5000, maxBytes: 1 << 20, recheckMs: 30, ...over },
  );
  await broker.listen();
  const events: EgressEvent[] = [];
  const state: { decision: EgressDecision } = { decision: "allow_private" };
  cleanups.push(async () => {
    await broker.close();
    await rm(dir, { recursive: true });
  });
  const admit = (targets: readonly string[]) =>
    broker.admit({ targets, decide: () => state.decision, event: (event) => void events.push(event) });
  return { broker, socketPath, events, state, admit, lookups };
}

function dial(socketPath: string, target: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method: "CONNECT", path: target });
    asked.once("connect", (response, socket) => {
      socket.on("error", () => undefined);
      resolve({
        status: response.statusCode ?? 0,
        reason: response.headers["x-egress-reason"] as string,
        socket: socket,
      });
    });
    asked.once("error", reject);
    asked.end();
  });
}

/** Bytes straight onto the socket; resolves with all that comes back. */
function raw(socketPath: string, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.once("close", () => resolve(text));
    socket.write(bytes);
  });
}

const closed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once("close", () => resolve()));

describe("the egress broker", () => {
  it("joins a step with its declared target and counts the bytes", async () => {
    const { port } = await echo();
    const { socketPath, admit, events } = await setup();
    const end = admit([`notify.internal:${port}`]);

    const { status, socket } = await dial(socketPath, `notify.internal:${port}`);
    socket.write("hello");
    const back = await new Promise<string>((resolve) => socket.once("data", (data) => resolve(data.toString())));
    socket.destroy();
    await end();

    expect([status, back]).toEqual([200, "hello"]);
    expect(events).toEqual([
      { kind: "allow", host: "notify.internal", port, reason: "allowlisted", sentBytes: 0, receivedBytes: 0 },
      expect.objectContaining({ kind: "close", host: "notify.internal", port, sentBytes: 5, receivedBytes: 5 }),
    ]);
  });

  it.each([
    ["another host", "other.internal:443", "not_declared"],
    ["another port", "notify.internal:80", "not_declared"],
    ["a decimal address", "2130706433:443", "malformed_target"],
    ["userinfo", "notify.internal:443@evil:443", "malformed_target"],
    ["no port", "notify.internal", "malformed_target"],
  ])("refuses %s and tells so", async (_name, target, reason) => {
    const { socketPath, admit, events, lookups } = await setup();
    admit(["notify.internal:443"]);

    const answer = await dial(socketPath, target);

    expect([answer.status, answer.reason]).toEqual([403, reason]);
    expect(events).toEqual([expect.objectContaining({ kind: "deny", reason })]);
    expect(lookups).toEqual([]);
  });

  it("refuses what the allowlist does not grant now, though the step declares it", async () => {
    const { socketPath, admit, state } = await setup();
    admit(["notify.internal:443"]);
    state.decision = "deny";

    expect((await dial(socketPath, "notify.internal:443")).reason).toBe("not_allowlisted");
  });

  it.each([
    ["private", ["10.0.0.5"], "resolved_to_private_address"],
    ["loopback among public ones", ["93.184.216.34", "127.0.0.1"], "resolved_to_private_address"],
    ["a mapped private address", ["::ffff:192.168.0.1"], "resolved_to_private_address"],
    ["the metadata service", ["169.254.169.254"], "resolved_to_reserved_address"],
  ])("refuses a name that resolves to %s", async (_name, addresses, reason) => {
    const { socketPath, admit, state } = await setup({ resolve: () => Promise.resolve(addresses) });
    admit(["innocent.example:443"]);
    state.decision = "allow";

    expect((await dial(socketPath, "innocent.example:443")).reason).toBe(reason);
  });

  it("never reaches the metadata service by name, even where private ranges are granted", async () => {
    const { socketPath, admit } = await setup({ resolve: () => Promise.resolve(["169.254.169.254"]) });
    admit(["innocent.example:80"]);

    expect((await dial(socketPath, "innocent.example:80")).reason).toBe("resolved_to_reserved_address");
  });

  it("reaches a loopback address that the grant names itself", async () => {
    const { port, dialled } = await echo();
    const { socketPath, admit, state } = await setup();
    admit([`127.0.0.1:${port}`]);
    state.decision = "allow";

    const { status, socket } = await dial(socketPath, `127.0.0.1:${port}`);
    socket.destroy();

    expect([status, dialled()]).toEqual([200, 1]);
  });

  it("asks the resolver once and dials what it checked: a second answer means nothing", async () => {
    const { port, dialled } = await echo();
    const answers = [["127.0.0.1"], ["169.254.169.254"]];
    const { socketPath, admit, lookups } = await setup({ resolve: () => Promise.resolve(answers.shift() ?? []) });
    admit([`rebind.example:${port}`]);

    const { status, socket } = await dial(socketPath, `rebind.example:${port}`);
    socket.destroy();

    expect([status, dialled(), lookups]).toEqual([200, 1, ["rebind.example"]]);
  });

  it("answers 502 and tells the end where the name or the target is not there", async () => {
    const { socketPath, admit, events } = await setup({ resolve: () => Promise.reject(new Error("ENOTFOUND")) });
    admit(["gone.example:443"]);

    const answer = await dial(socketPath, "gone.example:443");

    expect([answer.status, answer.reason]).toEqual([502, "name_not_resolved"]);
    expect(events.map(({ kind, reason }) => [kind, reason])).toEqual([
      ["allow", "allowlisted"],
      ["close", "name_not_resolved"],
    ]);
  });

  it("refuses everything between two steps and closes what the ended one left open", async () => {
    const { port } = await echo();
    const { socketPath, admit, events } = await setup();
    const target = `notify.internal:${port}`;
    const before = await dial(socketPath, target);
    const end = admit([target]);
    const { socket } = await dial(socketPath, target);
    const wasClosed = closed(socket);

    await end();
    await wasClosed;
    const after = await dial(socketPath, target);

    expect([before.reason, after.reason]).toEqual(["no_step_runs", "no_step_runs"]);
    expect(events.at(-1)).toMatchObject({ kind: "close", reason: "step_ended" });
  });

  it("closes an open tunnel when its grant is taken away", async () => {
    const { port } = await echo();
    const { socketPath, admit, events, state } = await setup();
    const end = admit([`notify.internal:${port}`]);
    const { socket } = await dial(socketPath, `notify.internal:${port}`);
    const wasClosed = closed(socket);

    state.decision = "deny";
    await wasClosed;
    await end();

    expect(events.at(-1)).toMatchObject({ kind: "close", reason: "allowlist_revoked" });
  });

  it("opens no tunnel whose grant went while its name was looked up", async () => {
    const { port, dialled } = await echo();
    let answerLookup: (addresses: readonly string[]) => void = () => undefined;
    let begin: () => void = () => undefined;
    const looking = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const { socketPath, admit, events, state } = await setup({
      resolve: () =>
        new Promise((resolve) => {
          answerLookup = resolve;
          begin();
        }),
    });
    admit([`notify.internal:${port}`]);

    const answer = dial(socketPath, `notify.internal:${port}`).catch(() => null);
    await looking;
    state.decision = "deny";
    answerLookup(["127.0.0.1"]);
    await answer;

    expect(dialled()).toBe(1);
    expect(events.at(-1)).toMatchObject({ kind: "close", host: "notify.internal", reason: "allowlist_revoked" });
  });

  it("closes what is open where it can no longer ask for the grant", async () => {
    const { port } = await echo();
    const { socketPath, broker, events } = await setup();
    let broken = false;
    const decide = (): EgressDecision => {
      if (broken) throw new Error("the grants are gone");
      return "allow_private";
    };
    broker.admit({ targets: [`notify.internal:${port}`], decide, event: (event) => void events.push(event) });

    const { socket } = await dial(socketPath, `notify.internal:${port}`);
    broken = true;
    await closed(socket);

    expect(events.at(-1)).toMatchObject({ kind: "close", reason: "broker_failed" });
  });

  it("refuses a connection too many", async () => {
    const { port } = await echo();
    const { socketPath, admit } = await setup({ maxTunnels: 2 });
    admit([`notify.internal:${port}`]);

    const answers = [];
    for (let i = 0; i < 3; i++) answers.push(await dial(socketPath, `notify.internal:${port}`));

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 403]);
    for (const { socket } of answers) socket.destroy();
  });

  it("ends a tunnel that passes its byte cap or idles", async () => {
    const { port } = await echo();
    const capped = await setup({ maxBytes: 10 });
    const idle = await setup({ idleMs: 30 });
    for (const { admit } of [capped, idle]) admit([`notify.internal:${port}`]);

    const first = await dial(capped.socketPath, `notify.internal:${port}`);
    const second = await dial(idle.socketPath, `notify.internal:${port}`);
    const ends = [closed(first.socket), closed(second.socket)];
    first.socket.write("more than ten bytes");
    await Promise.all(ends);

    expect([capped.events.at(-1)?.reason, idle.events.at(-1)?.reason]).toEqual(["too_many_bytes", "idle"]);
  });

  it.each([
    ["a plain request", "GET http://notify.internal/ HTTP/1.1\r\nhost: notify.internal\r\n\r\n", "405"],
    ["an upgrade", "GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", ""],
    ["a header of 20 KB", `CONNECT notify.internal:443 HTTP/1.1\r\nhost: ${"x".repeat(20_000)}\r\n\r\n`, ""],
    ["TLS bytes", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", ""],
    [
      "two lengths",
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      "",
    ],
    ["junk", "\r\n\0\0junk\r\n\r\n", ""],
  ])("gives %s no tunnel", async (_name, bytes, status) => {
    const { socketPath, admit, lookups } = await setup();
    admit(["notify.internal:443"]);

    const text = await raw(socketPath, bytes);

    expect(text.startsWith("HTTP/1.1 200")).toBe(false);
    expect(text).toContain(status);
    expect(lookups).toEqual([]);
  });

  it("listens on a socket that only its owner may use, and takes it away", async () => {
    const { socketPath, broker } = await setup();

    expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
    await broker.close();

    await expect(stat(socketPath)).rejects.toThrow("ENOENT");
  });
});
