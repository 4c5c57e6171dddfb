import type { Context, DefineTask } from "../../sdk.ts";

const defineTask: DefineTask = (task) => task;

const mediaTypes: readonly (readonly [suffix: string, mediaType: string])[] = [
  [".cdx.json", "application/vnd.cyclonedx+json"],
  [".vex.json", "application/vnd.openvex+json"],
  [".openvex.json", "application/vnd.openvex+json"],
  [".json", "application/json"],
  [".ndjson", "application/x-ndjson"],
  [".yaml", "application/yaml"],
  [".txt", "text/plain"],
];

function mediaTypeOf(path: string): string {
  return mediaTypes.find(([suffix]) => path.endsWith(suffix))?.[1] ?? "application/octet-stream";
}

/**
 * Turns the step's declared files into artifacts: references, not contents, so that any number of documents of any size
 * passes between steps as plain data.
 */
export default defineTask({
  async run(_input: object, ctx: Context) {
    const documents = [];
    for (const file of ctx.files.list()) {
      const content = await ctx.artifacts.write(ctx.files.stream(file.path), mediaTypeOf(file.path));
      documents.push({ path: file.path, content });
    }
    ctx.log("info", "files read", { count: documents.length });
    return { documents };
  },
});
