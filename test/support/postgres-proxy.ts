import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A point at which a test may cut: a commit that is about to reach the server, or whose answer is about to come back. */
export interface CommitPoint {
  /** Counts from 1 over all connections of the proxy. */
  readonly commit: number;
  readonly when: "before" | "after";
  /** What commits: `commit`, or the one statement of an implicit transaction. */
  readonly text: string;
}

/** `cut` closes both sides: before, the server never sees the commit; after, the client never hears of it. */
export type CutDecision = (point: CommitPoint) => "pass" | "cut";

export interface PostgresProxy extends AsyncDisposable {
  /** Connect here instead (port 5432 is part of the socket's name). */
  readonly socketDir: string;
  /** Frontend messages by type, and commits, so far. */
  readonly counts: { readonly messages: Readonly<Record<string, number>>; readonly commits: number };
}

const socketName = ".s.PGSQL.5432";

/** Speaks just enough of PostgreSQL's wire protocol, without TLS, to know where transactions end. */
export async function openPostgresProxy(upstreamDir: string, decide: CutDecision): Promise<PostgresProxy> {
  const socketDir = await mkdtemp(join(tmpdir(), "orrery-proxy-"));
  const messages: Record<string, number> = {};
  let commits = 0;
  const open = new Set<Socket>();
  const tally: Tally = {
    message: (type) => {
      messages[type] = (messages[type] ?? 0) + 1;
    },
    nextCommit: () => ++commits,
    decide,
  };
  const server: Server = createServer((client) => {
    const upstream = connect(join(upstreamDir, socketName));
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    relay(client, upstream, tally);
  });
  await new Promise<void>((resolve) => server.listen(join(socketDir, socketName), resolve));
  return {
    socketDir,
    get counts() {
      return { messages: { ...messages }, commits };
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(socketDir, { recursive: true, force: true });
    },
  };
}

interface Tally {
  message(type: string): void;
  nextCommit(): number;
  readonly decide: CutDecision;
}

interface PendingCommit {
  readonly commit: number;
  readonly text: string;
}

function relay(client: Socket, upstream: Socket, tally: Tally): void {
  const statements = new Map<string, string>();
  // Turns in flight, oldest first: the commit that a turn makes, or null.
  const turns: (PendingCommit | null)[] = [];
  let inTransaction = false;
  let text = "";
  const cut = (): void => {
    client.destroy();
    upstream.destroy();
  };

  const fromClient = messageReader(true, (message) => {
    tally.message(message.type);
    text = textOf(message, statements) ?? text;
    if (message.type === "Q" || message.type === "S") {
      const commit = commits(text, inTransaction) ? { commit: tally.nextCommit(), text } : null;
      if (commit !== null && tally.decide({ ...commit, when: "before" }) === "cut") {
        cut();
        return;
      }
      turns.push(commit);
    }
    upstream.write(message.bytes);
  });

  const fromServer = messageReader(false, (message) => {
    if (message.type === "Z") {
      inTransaction = message.body.toString("latin1") !== "I";
      // The first one ends the handshake, not a turn.
      const commit = turns.shift() ?? null;
      if (commit !== null && tally.decide({ ...commit, when: "after" }) === "cut") {
        cut();
        return;
      }
    }
    client.write(message.bytes);
  });

  client.on("data", fromClient);
  upstream.on("data", fromServer);
}

/** The statement that a message brings or names; remembers what is prepared. */
function textOf({ type, body }: Message, statements: Map<string, string>): string | undefined {
  const [first = "", second = ""] = cStrings(body);
  if (type === "P") statements.set(first, second);
  switch (type) {
    case "P":
      return second;
    case "B":
      return statements.get(second);
    case "Q":
      return first;
    default:
      return undefined;
  }
}

const commits = (text: string, inTransaction: boolean): boolean =>
  inTransaction ? /^\s*commit/i.test(text) : !/^\s*(?:begin|rollback)/i.test(text);

interface Message {
  /** "" for the start-up message. */
  readonly type: string;
  readonly body: Buffer;
  readonly bytes: Buffer;
}

/** Splits a byte stream into protocol messages; a client's first one has no type byte. */
function messageReader(startsUntyped: boolean, onMessage: (message: Message) => void): (data: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let typed = !startsUntyped;
  return (data) => {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
    for (;;) {
      const head = typed ? 1 : 0;
      if (rest.length < head + 4) return;
      const end = head + rest.readInt32BE(head);
      if (rest.length < end) return;
      const bytes = rest.subarray(0, end);
      rest = rest.subarray(end);
      onMessage({ type: typed ? String.fromCharCode(bytes[0] ?? 0) : "", body: bytes.subarray(head + 4), bytes });
      typed = true;
    }
  };
}

const cStrings = (body: Buffer): string[] => body.toString("utf8").split("\0");
