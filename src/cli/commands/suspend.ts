import type { Command } from "commander";
import { type JsonObject, systemClock, utcText } from "../../base/index.ts";
import { isId } from "../../spec/index.ts";
import { clientFor, type DaemonOptions, dataDirFor, parseTarget, withDaemonOptions } from "../place/target.ts";
import type { CliContext } from "../program.ts";
import { type Terminal, usage } from "../terminal.ts";
import { parseInstant } from "./plan.ts";
import { parseDuration } from "./simulate.ts";

interface EndOptions extends DaemonOptions {
  readonly message: string;
  readonly ticket: string;
}

interface SuspendOptions extends EndOptions {
  readonly for?: number;
  readonly until?: Date;
}

/** `orrery suspend TENANT[/DAG]`, `orrery resume TENANT[/DAG]`: break-glass past Git, with reason, ticket and expiry. */
export function addSuspendCommands(program: Command, { terminal }: CliContext): void {
  withDaemonOptions(
    program
      .command("suspend")
      .argument("<tenant or tenant/dag>")
      .description("break glass: stop a DAG or a whole tenant past Git, until it expires; recorded"),
  )
    .requiredOption("-m, --message <reason>", "why; the record carries it")
    .requiredOption("--ticket <id>", "what it belongs to")
    .option("--for <duration>", "ends after 30m, 2h, 1d", parseDuration)
    .option("--until <utc>", "ends at this instant", parseInstant)
    .addHelpText("after", suspendHelp)
    .action(async (name: string, options: SuspendOptions) => {
      await suspend(name, options, terminal);
    });
  withDaemonOptions(
    program.command("resume").argument("<tenant or tenant/dag>").description("end what `suspend` stopped; recorded"),
  )
    .requiredOption("-m, --message <reason>", "why; the record carries it")
    .requiredOption("--ticket <id>", "what it belongs to")
    .action(async (name: string, options: EndOptions) => {
      const { tenant, dagId } = targetOf(name);
      const client = await clientFor(dataDirFor(options), tenant, "admin");
      const answer = await client.post("/admin/suspensions:end", bodyOf(dagId, options));
      terminal.print(options.output === "json" ? JSON.stringify(answer) : `${name} goes on as Git says`);
    });
}

const suspendHelp = `
Its slots are skips on record, a start is refused, its queued runs are cancelled, its running ones end as they began. What
should last belongs into tenant.yaml (suspend: true). It ends by itself, at the next pass after its end.`;

async function suspend(name: string, options: SuspendOptions, terminal: Terminal): Promise<void> {
  if ((options.for === undefined) === (options.until === undefined)) throw usage("give --for or --until, one of them");
  const { tenant, dagId } = targetOf(name);
  const until = options.until ?? new Date(systemClock.now().getTime() + (options.for ?? 0));
  const client = await clientFor(dataDirFor(options), tenant, "admin");
  const answer = await client.post("/admin/suspensions", {
    ...bodyOf(dagId, options),
    expiresUtc: utcText(until),
  });
  terminal.print(options.output === "json" ? JSON.stringify(answer) : `${name} is suspended until ${utcText(until)}`);
}

const bodyOf = (dagId: string | null, { message, ticket }: EndOptions): JsonObject => ({
  ...(dagId === null ? {} : { dagId }),
  reason: message,
  ticket,
});

function targetOf(name: string): { readonly tenant: string; readonly dagId: string | null } {
  if (isId(name)) return { tenant: name, dagId: null };
  const { tenant, name: dagId } = parseTarget(name, {});
  return { tenant, dagId };
}
