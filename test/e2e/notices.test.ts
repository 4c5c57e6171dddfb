import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DaemonProcess, startDaemonProcess } from "../support/daemon-process.ts";
import {
  addPlugin,
  createSpecRepository,
  dagPath,
  dagText,
  type RecordLine,
  type SpecRepository,
  tenantFiles,
} from "../support/spec-repository.ts";

interface Post {
  readonly key: string;
  readonly at: string;
  readonly summary: string;
  readonly answered: number;
}

/** A receiver on loopback: every first request to /flaky under a new key is answered 503, all else 202. */
class Receiver {
  readonly posts: Post[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8");
      request.on("data", (part: string) => (body += part));
      request.on("end", () => {
        const key = String(request.headers["idempotency-key"]);
        const known = this.posts.some((post) => post.key === key);
        const answered = request.url === "/flaky" && !known ? 503 : 202;
        const { at, summary } = JSON.parse(body) as { readonly at: string; readonly summary: string };
        this.posts.push({ key, at, summary, answered });
        response.writeHead(answered).end();
      });
    });
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

let specs: SpecRepository;
let daemon: DaemonProcess;
let receiver: Receiver;

beforeAll(async () => {
  receiver = new Receiver();
  const address = `127.0.0.1:${String(await receiver.listen())}`;
  specs = await createSpecRepository();
  daemon = await startDaemonProcess(specs.dataDir);
  addPlugin(specs, "notify.post");
  const [host, port] = address.split(":");
  const grants = [
    '    - { name: notify.post, versions: ["1.x"] }',
    "  endpoints:",
    `    - { host: ${host ?? ""}, port: ${port ?? ""}, private: true, for: ["notify.*"], rationale: The test listens there. }`,
    "",
  ].join("\n");
  const post = (path: string, summary: string, ...more: readonly string[]): readonly string[] => [
    "steps:",
    "  tell:",
    "    uses: notify.post@1.0.0",
    `    network: ["${address}"]`,
    `    with: { url: "http://${address}/${path}", summary: ${summary} }`,
    ...more.map((line) => `    ${line}`),
  ];
  const retry = "retry: { maxAttempts: 3, backoff: 200ms }";
  const commit = await specs.commit(
    {
      ...tenantFiles("acme", grants),
      [dagPath("acme", "same")]: dagText("schedules: [{ every: 2s }]", ...post("steady", "equal in every slot")),
      [dagPath("acme", "flaky")]: dagText(...post("flaky", "asked twice", retry)),
    },
    "Post notices",
  );
  await specs.push();
  const applied = await daemon.cli("wait", commit, "-t", "acme", "--timeout", "30");
  if (applied.exit !== 0) throw new Error(applied.stderr);
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  specs[Symbol.dispose]();
  receiver.close();
});

const attemptsOf = (record: RecordLine) => record.steps?.flatMap(({ attempts }) => attempts) ?? [];

describe("what a step asks of the world, and how it is told from asking again", () => {
  it("two slots with equal `with` are two notices under two idempotency keys", async () => {
    const first = await daemon.nextRun("acme", "same");
    const second = await daemon.nextRun("acme", "same");

    const records = await Promise.all(
      [first, second].map(({ runId }) => specs.recorded((record) => record.runId === runId)),
    );
    const [one, two] = records.map((record) => attemptsOf(record)[0]);
    const keys = records.flatMap((record) => attemptsOf(record).map(({ stepKey }) => stepKey));
    const told = receiver.posts.filter(({ key }) => keys.includes(key));

    expect(records.map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
    expect(one?.stepHash).toBe(two?.stepHash);
    expect(new Set(keys).size).toBe(2);
    expect(told.map(({ key }) => key)).toEqual(keys);
    expect(new Set(told.map(({ summary }) => summary))).toEqual(new Set(["equal in every slot"]));
  });

  it("an attempt after a 503 repeats the key of the one before it", async () => {
    const before = receiver.posts.length;
    const run = await daemon.cli("run", "acme/flaky", "-o", "json");
    const { runId } = JSON.parse(run.stdout) as { readonly runId: string };

    const record = await specs.recorded((line) => line.runId === runId);
    const posts = receiver.posts.slice(before).filter(({ summary }) => summary === "asked twice");

    expect(run.exit).toBe(0);
    expect(posts.map(({ answered }) => answered)).toEqual([503, 202]);
    expect(new Set(posts.map(({ key }) => key))).toEqual(new Set([attemptsOf(record)[0]?.stepKey]));
    expect(attemptsOf(record).map(({ attempt, status, class: why }) => ({ attempt, status, why }))).toEqual([
      { attempt: 1, status: "failed", why: "transient" },
      { attempt: 2, status: "succeeded", why: undefined },
    ]);
    expect(new Set(attemptsOf(record).map(({ stepKey }) => stepKey)).size).toBe(1);
  });
});
