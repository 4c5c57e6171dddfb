import { packTar } from "modern-tar";
import type { ArtifactReference, Context, DefineTask, JsonValue } from "../../sdk.ts";

interface Entry {
  readonly path: string;
  /** Exactly one of the two. */
  readonly content?: ArtifactReference;
  readonly value?: JsonValue;
}

interface Input {
  readonly name: string;
  readonly entries: readonly Entry[];
}

const defineTask: DefineTask = (task) => task;
const utf8 = new TextEncoder();

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const byPath = (a: { path: string }, b: { path: string }): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

function checkedPath(path: string): string {
  const parts = path.split("/");
  const unsafe =
    path.startsWith("/") || path.includes("\\") || parts.some((part) => part === "" || part === "." || part === "..");
  if (unsafe) throw new Error(`not a relative path: ${path}`);
  return path;
}

/** Keys in code unit order at every depth, so that equal values give equal bytes. */
function stableText(value: JsonValue): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== "object" || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/**
 * Writes an export: one tar (sorted, mtime 0, uid 0: the same entries give the same bytes) whose first file is
 * manifest.json with the SHA-256 of every other. The manifest is an artifact of its own too.
 */
export default defineTask({
  async run(input: Input, ctx: Context) {
    const files = [];
    for (const entry of input.entries) {
      const bytes =
        entry.content === undefined
          ? utf8.encode(`${stableText(entry.value ?? null)}\n`)
          : await ctx.artifacts.read(entry.content);
      files.push({ path: checkedPath(entry.path), bytes, sha256: await sha256(bytes) });
    }
    files.sort(byPath);
    const manifest = {
      name: input.name,
      createdUtc: ctx.now,
      files: files.map((file) => ({ path: file.path, sha256: file.sha256, bytes: file.bytes.length })),
    };
    const manifestBytes = utf8.encode(`${stableText(manifest)}\n`);
    const packed = await packTar(
      [{ path: "manifest.json", bytes: manifestBytes }, ...files].map(({ path, bytes }) => ({
        header: {
          name: path,
          size: bytes.length,
          mode: 0o644,
          uid: 0,
          gid: 0,
          mtime: new Date(0),
          type: "file" as const,
        },
        body: bytes,
      })),
    );
    const bundle = await ctx.artifacts.write(packed, "application/x-tar");
    const manifestReference = await ctx.artifacts.write(manifestBytes, "application/json");
    ctx.log("info", "export written", { files: files.length, bytes: packed.length });
    return { bundle, manifest: manifestReference, files: manifest.files };
  },
});
