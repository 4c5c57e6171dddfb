import type { Context, DefineTask } from "../../sdk.ts";

interface Input {
  readonly url: string;
  readonly summary: string;
  readonly fields?: { readonly [key: string]: unknown };
}

const defineTask: DefineTask = (task) => task;

const hidden = (error: unknown): string => (error instanceof Error ? error.message : "the connection failed");

/**
 * Posts one notice as JSON. The idempotency key is the step's: a receiver that has seen it answers again without a
 * second notice, so a retried attempt tells nobody twice. Where the step gives a `token`, it goes along as a bearer token.
 */
export default defineTask({
  async run(input: Input, ctx: Context) {
    const body = JSON.stringify({
      tenant: ctx.tenant,
      dag: ctx.dagId,
      run: ctx.runId,
      at: ctx.now,
      summary: input.summary,
      fields: input.fields ?? {},
    });
    const { token } = ctx.secrets;
    const headers = {
      "content-type": "application/json",
      "idempotency-key": ctx.idempotencyKey,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    let response: Response;
    try {
      response = await fetch(input.url, { method: "POST", headers, body, signal: ctx.signal });
    } catch (error) {
      throw Object.assign(new Error(`notice not delivered: ${hidden(error)}`), codeOf(error));
    }
    if (response.status >= 500 || response.status === 429)
      throw Object.assign(new Error(`the endpoint answered ${response.status}`), { transient: true });
    if (!response.ok) throw new Error(`the endpoint answered ${response.status}`);
    ctx.log("info", "notice delivered", { status: response.status });
    return { delivered: true, httpStatus: response.status };
  },
});

/** A refusal of the broker stays one; every other failure of a connection may pass. */
function codeOf(error: unknown): object {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return code === "EGRESS_DENIED" ? { code } : { transient: true };
}
