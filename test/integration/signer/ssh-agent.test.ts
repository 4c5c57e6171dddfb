import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { agentSigner, listAgentKeys, readPrivateKey, signSshsig } from "../../../src/signer/index.ts";
import { type ScratchDir, scratchDir } from "../../support/git-fixtures.ts";
import { stockKey } from "./ssh-keygen.ts";

let scratch: ScratchDir;
let agent: ChildProcess;
let socket: string;

beforeAll(async () => {
  scratch = scratchDir();
  socket = scratch.join("agent");
  // -D: in the foreground; it prints its address once the socket is there.
  agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "inherit"] });
  if (agent.stdout !== null) await once(agent.stdout, "data");
  for (const [name, type] of [
    ["ana", "ed25519"],
    ["old", "rsa"],
  ] as const) {
    const path = stockKey(scratch.join(name), { type, comment: name });
    const added = spawnSync("ssh-add", ["-q", path], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
    if (added.status !== 0) throw new Error(added.stderr.toString());
  }
});

afterAll(() => {
  agent.kill();
  scratch[Symbol.dispose]();
});

describe("ssh-agent", () => {
  it("lists its keys with type and comment", async () => {
    const keys = await listAgentKeys(socket);

    expect(keys.map(({ type, comment }) => [type, comment])).toEqual([
      ["ssh-ed25519", "ana"],
      ["ssh-rsa", "old"],
    ]);
  });

  it("signs the same bytes as the key file", async () => {
    const key = readPrivateKey(scratch.join("ana"));
    const message = Buffer.from("tree x\n");

    expect(await agentSigner(socket, key.blob).sign("git", message)).toBe(signSshsig(key, "git", message));
  });

  it("with a key that it does not hold does not sign", async () => {
    const { blob } = readPrivateKey(stockKey(scratch.join("stranger")));

    await expect(agentSigner(socket, blob).sign("git", Buffer.from("x"))).rejects.toThrow(
      "it does not sign with SHA256:",
    );
  });

  it("is asked for no key but ed25519", async () => {
    const rsa = (await listAgentKeys(socket)).find(({ type }) => type === "ssh-rsa");

    expect(() => agentSigner(socket, rsa!.blob)).toThrow("of type ssh-rsa: only ssh-ed25519 signs");
  });

  it("that is not there is a fault with its path", async () => {
    await expect(listAgentKeys(scratch.join("none"))).rejects.toThrow(/none: it cannot be reached/);
  });
});

describe("a hostile agent", () => {
  async function answering(bytes: Uint8Array | null): Promise<{ readonly path: string; readonly server: Server }> {
    const path = scratch.join(`fake${Math.random()}`);
    const server = createServer((connection) => {
      connection.on("error", () => undefined);
      connection.once("data", () => (bytes === null ? connection.destroy() : connection.write(bytes)));
    });
    server.listen(path);
    await once(server, "listening");
    return { path, server };
  }

  it.each<[string, Uint8Array | null, string]>([
    ["hangs up", null, "it closed the connection"],
    ["claims an answer of 4 GiB", Buffer.of(255, 255, 255, 255), "its answer is too long"],
    ["fails", Buffer.of(0, 0, 0, 1, 5), "it does not list its keys"],
    ["is empty", Buffer.of(0, 0, 0, 0), "it does not list its keys"],
    ["promises keys that it does not send", Buffer.of(0, 0, 0, 5, 12, 255, 255, 255, 255), "it does not list its keys"],
  ])("that %s is a fault", async (_, bytes, reason) => {
    const { path, server } = await answering(bytes);

    await expect(listAgentKeys(path)).rejects.toThrow(reason);
    server.close();
  });

  it("that answers with a signature of something else is found out", async () => {
    const { blob } = readPrivateKey(scratch.join("ana"));
    const raw = Buffer.alloc(64, 1);
    const text = (value: string | Buffer) => Buffer.concat([Buffer.of(0, 0, 0, value.length), Buffer.from(value)]);
    const body = Buffer.concat([Buffer.of(14), text(Buffer.concat([text("ssh-ed25519"), text(raw)]))]);
    const { path, server } = await answering(text(body));

    await expect(agentSigner(path, blob).sign("git", Buffer.from("x"))).rejects.toThrow("does not verify");
    server.close();
  });
});
