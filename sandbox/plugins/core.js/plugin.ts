import type { Context, JsonOutput, Task } from "../../sdk.ts";

/** Runs the step's own `code`: one function (input, ctx) => output, reviewed in the pull request that brings it. */
export default {
  async run(input: unknown, ctx: Context): Promise<JsonOutput> {
    if (ctx.code === undefined) throw new Error("the step has no code");
    const output = await ctx.code(input, ctx);
    if (typeof output !== "object" || output === null || Array.isArray(output))
      throw new Error("code must return an object");
    return output as JsonOutput;
  },
} satisfies Task<unknown>;
