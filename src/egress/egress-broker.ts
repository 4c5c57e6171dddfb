import { chmod, chown, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../base/index.ts";
import { addressRange } from "./address-range.ts";
import { type Authority, authorityText, parseAuthority } from "./authority.ts";
import type { EgressDecision, EgressEvent } from "./egress-event.ts";
import { joinTunnel, type Tunnel } from "./tunnel.ts";

export interface EgressBrokerDeps {
  readonly clock: Clock;
  /** All addresses of a name, asked once for each connection. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  /** Connects to an address that was checked. */
  readonly dial: (address: string, port: number) => Promise<Socket>;
}

export interface EgressBrokerOptions {
  readonly socketPath: string;
  /** Owner of the socket file where the host has a user of its own. */
  readonly owner: number | null;
  readonly maxTunnels: number;
  readonly idleMs: number;
  readonly maxBytes: number;
  readonly recheckMs: number;
}

/** What one attempt may reach. */
export interface EgressGrant {
  /** Declared and granted `host:port`. */
  readonly targets: readonly string[];
  readonly decide: (host: string, port: number) => EgressDecision;
  readonly event: (event: EgressEvent) => void;
}

/**
 * One host's way out: HTTP CONNECT on a Unix socket. Who asks is known by the socket, never by a header; what may be
 * reached is the grant of the step that runs now; between steps nothing.
 */
export interface EgressBroker {
  listen(): Promise<void>;
  /** Opens the way for one attempt. What it gives closes the way, and resolves when every tunnel's end was told. */
  admit(grant: EgressGrant): () => Promise<void>;
  close(): Promise<void>;
}

class Refusal extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

export function createEgressBroker(deps: EgressBrokerDeps, options: EgressBrokerOptions): EgressBroker {
  let attempt: Attempt | null = null;
  const server = createServer({ maxHeaderSize: 8192, headersTimeout: 10_000, requestTimeout: 10_000 });
  server.maxConnections = options.maxTunnels * 2;
  server.on("request", (_request, response) => {
    response.writeHead(405, { connection: "close" }).end();
  });
  server.on("upgrade", (_request, socket) => socket.destroy());
  server.on("clientError", (_error, socket) => socket.destroy());
  server.on("connect", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    if (attempt === null) answer(socket, 403, "no_step_runs");
    else attempt.connect(request.url ?? "", socket, head);
  });
  return {
    listen: () => listen(server, options),
    admit: (grant) => {
      const admitted = new Attempt(deps, options, grant);
      attempt = admitted;
      return () => {
        if (attempt === admitted) attempt = null;
        return admitted.end();
      };
    },
    close: async () => {
      await attempt?.end();
      attempt = null;
      if (server.listening)
        await new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        });
      await rm(options.socketPath, { force: true });
    },
  };
}

class Attempt {
  readonly #deps: EgressBrokerDeps;
  readonly #options: EgressBrokerOptions;
  readonly #grant: EgressGrant;
  readonly #tunnels = new Map<Tunnel, Authority>();
  readonly #stop = new AbortController();
  readonly #working = new Set<Promise<void>>();
  #pending = 0;

  constructor(deps: EgressBrokerDeps, options: EgressBrokerOptions, grant: EgressGrant) {
    this.#deps = deps;
    this.#options = options;
    this.#grant = grant;
  }

  connect(target: string, socket: Duplex, head: Buffer): void {
    const authority = parseAuthority(target);
    this.#pending++;
    const work = this.#establish(authority, socket, head)
      .catch((error: unknown) => {
        const reason = error instanceof Refusal ? error.reason : "broker_failed";
        this.#event("deny", authority, reason);
        answer(socket, 403, reason);
      })
      .finally(() => {
        this.#pending--;
      });
    this.#track(work);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    this.#closeAll("step_ended");
    // A name or a target that is still being asked for tells its end too, within the dial's limit.
    await Promise.all(this.#working);
  }

  #closeAll(reason: string): void {
    for (const tunnel of [...this.#tunnels.keys()]) tunnel.close(reason);
  }

  #track(work: Promise<void>): void {
    const tracked: Promise<void> = work.finally(() => this.#working.delete(tracked));
    this.#working.add(tracked);
  }

  async #establish(authority: Authority | null, socket: Duplex, head: Buffer): Promise<void> {
    if (authority === null) throw new Refusal("malformed_target");
    const decision = this.#decide(authority);
    if (this.#tunnels.size + this.#pending > this.#options.maxTunnels) throw new Refusal("too_many_connections");
    const addresses = await this.#addresses(authority, decision);
    if (this.#isOver()) throw new Refusal("step_ended");
    this.#event("allow", authority, "allowlisted");
    const target = addresses.length === 0 ? null : await this.#dial(addresses, authority.port);
    if (target === null) {
      const reason = addresses.length === 0 ? "name_not_resolved" : "unreachable";
      this.#event("close", authority, reason);
      answer(socket, 502, reason);
      return;
    }
    // Asked again: a name and a target may take half a minute, and the grant may be gone by now.
    const gone = this.#isOver() ? "step_ended" : this.#isRevoked(authority) ? "allowlist_revoked" : null;
    if (gone !== null) {
      target.destroy();
      socket.destroy();
      this.#event("close", authority, gone);
      return;
    }
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    if (head.length > 0) target.write(head);
    this.#keep(joinTunnel(socket, target, this.#options), authority);
  }

  #isOver(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Declared by the step and granted now. */
  #decide(authority: Authority): EgressDecision {
    if (!this.#grant.targets.includes(authorityText(authority))) throw new Refusal("not_declared");
    const decision = this.#grant.decide(authority.host, authority.port);
    if (decision === "deny") throw new Refusal("not_allowlisted");
    return decision;
  }

  /** Resolved once; what is dialled is what was checked, so that a second answer of the resolver means nothing. */
  async #addresses(authority: Authority, decision: EgressDecision): Promise<readonly string[]> {
    const isLiteral = isIP(authority.host) !== 0;
    const addresses = isLiteral ? [authority.host] : await this.#deps.resolve(authority.host).catch(() => []);
    const ranges = addresses.map(addressRange);
    if (ranges.includes("never")) throw new Refusal("resolved_to_reserved_address");
    // A literal address in the grant names its private range itself.
    if (ranges.includes("private") && !isLiteral && decision !== "allow_private")
      throw new Refusal("resolved_to_private_address");
    return addresses;
  }

  async #dial(addresses: readonly string[], port: number): Promise<Socket | null> {
    for (const address of addresses.slice(0, 3)) {
      const socket = await this.#deps.dial(address, port).catch(() => null);
      if (socket !== null) return socket;
    }
    return null;
  }

  #keep(tunnel: Tunnel, authority: Authority): void {
    this.#tunnels.set(tunnel, authority);
    if (this.#tunnels.size === 1) this.#recheck().catch(() => this.#closeAll("broker_failed"));
    const told = tunnel.ended.then((end) => {
      this.#tunnels.delete(tunnel);
      this.#grant.event({ kind: "close", ...authority, ...end });
    });
    this.#track(told);
  }

  /** A grant that is taken away closes what is open. */
  async #recheck(): Promise<void> {
    while (this.#tunnels.size > 0 && !this.#stop.signal.aborted) {
      await this.#deps.clock.sleep(this.#options.recheckMs, this.#stop.signal);
      for (const [tunnel, { host, port }] of [...this.#tunnels])
        if (this.#isRevoked({ host, port })) tunnel.close("allowlist_revoked");
    }
  }

  #isRevoked({ host, port }: Authority): boolean {
    return this.#grant.decide(host, port) === "deny";
  }

  #event(kind: "allow" | "deny" | "close", authority: Authority | null, reason: string): void {
    const { host, port } = authority ?? { host: "malformed.invalid", port: 0 };
    this.#grant.event({ kind, host, port, reason, sentBytes: 0, receivedBytes: 0 });
  }
}

async function listen(server: Server, { socketPath, owner }: EgressBrokerOptions): Promise<void> {
  await rm(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, resolve);
  });
  await chmod(socketPath, 0o600);
  if (owner !== null) await chown(socketPath, owner, owner);
}

function answer(socket: Duplex, status: 403 | 502, reason: string): void {
  const text = status === 403 ? "Forbidden" : "Bad Gateway";
  socket.end(
    `HTTP/1.1 ${status} ${text}\r\nx-egress-reason: ${reason}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
  );
}
