import type { Context, DefineTask } from "../../sdk.ts";

interface Input {
  readonly message: string;
  readonly level?: "debug" | "info" | "warn" | "error";
  readonly fields?: { readonly [key: string]: unknown };
}

const defineTask: DefineTask = (task) => task;

/** Writes one line to the attempt's log. */
export default defineTask({
  run(input: Input, ctx: Context) {
    ctx.log(input.level ?? "info", input.message, input.fields ?? {});
    return { message: input.message };
  },
});
