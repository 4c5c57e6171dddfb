import { existsSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { Fault } from "../../base/index.ts";
import { demoLayout } from "../demo/demo-layout.ts";
import { tamperDemo } from "../demo/demo-tamper.ts";
import type { CliContext } from "../program.ts";

/** `orrery demo tamper`: changes one byte in a copy and shows who notices. */
export function addDemoCommand(program: Command, context: CliContext): void {
  const demo = program.command("demo").description("things to try on the demo");
  demo
    .command("tamper")
    .description("change one byte of a record in a copy of the audit branch and verify it")
    .option("--data <dir>", "data directory of the demo", ".orrery")
    .exitOverride()
    .action(async ({ data }: { readonly data: string }) => {
      const layout = demoLayout(path.resolve(data));
      if (!existsSync(layout.repository))
        throw new Fault("DAEMON_UNREACHABLE", `no demo in ${layout.dataDir}: run npm start first`);
      context.exit(await tamperDemo(layout, context.terminal));
    });
}
