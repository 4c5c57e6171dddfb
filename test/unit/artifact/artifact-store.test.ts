import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type ArtifactStore, createArtifactStore } from "../../../src/artifact/index.ts";
import { Fault } from "../../../src/base/index.ts";
import { MemoryFs } from "./memory-fs.ts";

const root = "/data";
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

async function setup(fs = new MemoryFs(root)): Promise<{ fs: MemoryFs; store: ArtifactStore }> {
  const redact = (text: string): string => text.replaceAll("hunter2", "***");
  return { fs, store: await createArtifactStore({ root, redact, fs }) };
}

async function* chunks(...parts: readonly string[]): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  for (const part of parts) yield Buffer.from(part);
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "no fault";
  } catch (error) {
    return error instanceof Fault ? error.code : String(error);
  }
}

describe("artifacts", () => {
  it("gives back what was written, by the hash of its bytes", async () => {
    const { store } = await setup();

    const ref = await store.write("acme", chunks("one ", "two"), "text/plain", 100);

    expect(ref).toEqual({ artifact: sha256(Buffer.from("one two")), bytes: 7, mediaType: "text/plain" });
    expect(await textOf(store.read("acme", ref.artifact))).toBe("one two");
    expect(await store.has("acme", ref.artifact)).toBe(true);
  });

  it("keeps equal bytes once per tenant and never shares them across tenants", async () => {
    const { fs, store } = await setup();

    const first = await store.write("acme", chunks("same"), "text/plain", 100);
    await store.write("acme", chunks("sa", "me"), "text/plain", 100);
    const before = await codeOf(textOf(store.read("globex", first.artifact)));
    await store.write("globex", chunks("same"), "text/plain", 100);

    expect(before).toBe("ARTIFACT_MISSING");
    expect(fs.files(`${root}/artifacts/acme`)).toHaveLength(1);
    expect(fs.files(`${root}/artifacts/globex`)).toHaveLength(1);
  });

  it("stops at the cap and leaves nothing behind", async () => {
    const { fs, store } = await setup();

    const code = await codeOf(store.write("acme", chunks("12345", "6"), "text/plain", 5));

    expect(code).toBe("ARTIFACT_TOO_LARGE");
    expect(fs.files(root)).toEqual([]);
  });

  it("leaves nothing behind when the source fails half-way", async () => {
    const { fs, store } = await setup();
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("half");
      await Promise.resolve();
      throw new Error("the host died");
    }

    await expect(store.write("acme", broken(), "text/plain", 100)).rejects.toThrow("the host died");

    expect(fs.files(root)).toEqual([]);
  });

  it.each(["", "..", "../acme", "acme/..", "Acme", "a b", "acme\u0000", "-acme", "a".repeat(64)])(
    "refuses the tenant %j before it becomes a path",
    async (tenant) => {
      const { fs, store } = await setup();
      const calls = fs.calls;

      const codes = [
        await codeOf(store.write(tenant, chunks("x"), "text/plain", 9)),
        await codeOf(store.has(tenant, "0".repeat(64))),
        await codeOf((async () => textOf(store.read(tenant, "0".repeat(64))))()),
      ];

      expect(codes).toEqual(["ARTIFACT_MISSING", "ARTIFACT_MISSING", "ARTIFACT_MISSING"]);
      expect(fs.calls).toBe(calls);
    },
  );

  it.each(["", "..", "../../etc/passwd", "A".repeat(64), "0".repeat(63), `${"0".repeat(64)}\n`])(
    "refuses the hash %j before it becomes a path",
    async (hash) => {
      const { fs, store } = await setup();
      const calls = fs.calls;

      expect(await codeOf((async () => textOf(store.read("acme", hash)))())).toBe("ARTIFACT_MISSING");
      expect(await codeOf((async () => textOf(store.readLog("acme", hash)))())).toBe("ARTIFACT_MISSING");
      expect(fs.calls).toBe(calls);
    },
  );

  it.each(["", "text", "text/plain\r\nX-Evil: 1", "text/plain; a=\u0000", "é/x"])(
    "refuses the media type %j",
    async (mediaType) => {
      const { store } = await setup();

      expect(await codeOf(store.write("acme", chunks("x"), mediaType, 9))).toBe("ARTIFACT_MEDIA_TYPE");
    },
  );

  it("says so at the end of the stream when a stored file was changed", async () => {
    const { fs, store } = await setup();
    const ref = await store.write("acme", chunks("honest"), "text/plain", 100);

    fs.poke(fs.files(`${root}/artifacts`)[0]!, Buffer.from("forged"));

    expect(await codeOf(textOf(store.read("acme", ref.artifact)))).toBe("ARTIFACT_CORRUPT");
  });

  it("heals a file that was cut short when the same bytes are written again", async () => {
    const { fs, store } = await setup();
    const ref = await store.write("acme", chunks("whole"), "text/plain", 100);
    fs.poke(fs.files(`${root}/artifacts`)[0]!, Buffer.from("who"));

    await store.write("acme", chunks("whole"), "text/plain", 100);

    expect(await textOf(store.read("acme", ref.artifact))).toBe("whole");
  });

  it("after a power cut at any call, what was promised is there and what was not is absent or whole", async () => {
    let k = 0;
    for (let ended = false; !ended; k++) {
      const { fs, store } = await setup();
      const hash = sha256(Buffer.from("precious"));
      fs.callsLeft = k;

      ended = (await codeOf(store.write("acme", chunks("pre", "cious"), "text/plain", 100))) === "no fault";
      fs.cutPower();
      const after = await setup(fs);

      const there = await after.store.has("acme", hash);
      if (ended || there) expect(await textOf(after.store.read("acme", hash))).toBe("precious");
      expect(fs.files(`${root}/staging`)).toEqual([]);
    }
    expect(k).toBeGreaterThan(8);
  });
});

describe("logs", () => {
  it("stores lines as NDJSON, redacted in every string, under their hash", async () => {
    const { store } = await setup();
    const log = store.openLog("acme", 1000);

    log.append({ level: "info", message: "pass hunter2", fields: { hunter2: ["x hunter2"] } });
    log.append({ level: "info", message: "two" });
    const closed = await log.close();

    const text = await textOf(store.readLog("acme", closed!.hash));
    expect(text).toBe(
      '{"fields":{"***":["x ***"]},"level":"info","message":"pass ***"}\n{"level":"info","message":"two"}\n',
    );
    expect(closed).toEqual({ hash: sha256(Buffer.from(text)), bytes: text.length });
  });

  it("answers null when nothing was said and the same answer twice", async () => {
    const { store } = await setup();
    const silent = store.openLog("acme", 1000);
    const spoken = store.openLog("acme", 1000);
    spoken.append({ message: "x" });

    expect(await silent.close()).toBeNull();
    expect(await spoken.close()).toEqual(await spoken.close());
  });

  it("stays under its cap and says how many lines it dropped", async () => {
    const { store } = await setup();
    const log = store.openLog("acme", 300);

    for (let i = 0; i < 1000; i++) log.append({ message: `line ${i}` });
    const closed = await log.close();

    const lines = (await textOf(store.readLog("acme", closed!.hash))).trimEnd().split("\n");
    expect(closed!.bytes).toBeLessThanOrEqual(300);
    expect(JSON.parse(lines.at(-1)!)).toEqual({ droppedLines: 1000 - (lines.length - 1) });
  });

  it("survives a line that is no I-JSON", async () => {
    const { store } = await setup();
    const log = store.openLog("acme", 1000);

    log.append({ message: "\u0000" });
    const closed = await log.close();

    expect(await textOf(store.readLog("acme", closed!.hash))).toContain("no I-JSON");
  });

  it("a log of one tenant is not readable as another tenant's, nor as an artifact", async () => {
    const { store } = await setup();
    const log = store.openLog("acme", 1000);
    log.append({ message: "x" });
    const { hash } = (await log.close())!;

    expect(await codeOf(textOf(store.readLog("globex", hash)))).toBe("ARTIFACT_MISSING");
    expect(await codeOf(textOf(store.read("acme", hash)))).toBe("ARTIFACT_MISSING");
  });
});
