import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createArtifactStore } from "../../../src/artifact/index.ts";

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

function setup() {
  const root = mkdtempSync(join(tmpdir(), "artifacts-"));
  roots.push(root);
  return { root, open: () => createArtifactStore({ root, redact: (text) => text }) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield bytes;
}

describe("artifact store on a real file system", () => {
  it("streams 5 MB in and out again, in a file that only its owner may read", async () => {
    const { root, open } = setup();
    const store = await open();
    const bytes = Buffer.alloc(5 * 1024 * 1024, "orrery");

    const ref = await store.write("acme", once(bytes), "application/octet-stream", bytes.length);

    const parts: Uint8Array[] = [];
    for await (const part of store.read("acme", ref.artifact)) parts.push(part);
    const file = join(root, "artifacts", "acme", ref.artifact.slice(0, 2), ref.artifact);
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(root, "staging"))).toEqual([]);
  });

  it("many writers of the same bytes agree on one file", async () => {
    const { root, open } = setup();
    const store = await open();

    const refs = await Promise.all(
      Array.from({ length: 20 }, () => store.write("acme", once(Buffer.from("same")), "text/plain", 10)),
    );

    expect(new Set(refs.map((ref) => ref.artifact)).size).toBe(1);
    expect(readdirSync(join(root, "artifacts", "acme"))).toHaveLength(1);
  });

  it("sweeps what a crash left in staging", async () => {
    const { root, open } = setup();
    await open();
    writeFileSync(join(root, "staging", "left-over"), "half");

    await open();

    expect(existsSync(join(root, "staging", "left-over"))).toBe(false);
  });

  it("does not follow a symbolic link that stands where a file should", async () => {
    const { root, open } = setup();
    const store = await open();
    const ref = await store.write("acme", once(Buffer.from("x")), "text/plain", 10);
    const file = join(root, "artifacts", "acme", ref.artifact.slice(0, 2), ref.artifact);
    rmSync(file);
    symlinkSync("/etc/hostname", file);

    const read = async (): Promise<void> => {
      for await (const part of store.read("acme", ref.artifact)) expect(part).toBeDefined();
    };

    await expect(read()).rejects.toMatchObject({ code: "ELOOP" });
    expect(await store.has("acme", ref.artifact)).toBe(false);
  });
});
