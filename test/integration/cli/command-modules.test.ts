import { Command } from "commander";
import { describe, expect, it, vi } from "vitest";
import { commandModules } from "../../../src/cli/command-modules.ts";
import { versionText } from "../../../src/cli/version.ts";
import { orrery } from "./cli-fixture.ts";

const terminal = { print: () => undefined, note: () => undefined, isTty: false };

describe("the commands that are loaded one by one", () => {
  it.each(commandModules)("$names: the module registers exactly these", async ({ names, load }) => {
    const program = new Command();

    (await load())(program, { terminal, exit: () => undefined });

    expect(program.commands.map((command) => command.name())).toEqual(names);
  });

  it.each([{ argv: ["--help"] }, { argv: ["help"] }, { argv: [] }])(
    "$argv names every command with its description",
    async ({ argv }) => {
      const written: string[] = [];
      using out = vi.spyOn(process.stdout, "write").mockImplementation((chunk) => written.push(String(chunk)) > 0);
      using err = vi.spyOn(process.stderr, "write").mockImplementation((chunk) => written.push(String(chunk)) > 0);

      await orrery(...argv);

      expect(out.mock.calls.length + err.mock.calls.length).toBeGreaterThan(0);
      for (const name of commandModules.flatMap(({ names }) => names))
        expect(written.join("")).toMatch(new RegExp(`^  ${name} .*\\w`, "m"));
    },
  );

  it.each(["--version", "-V"])("%s is the version of package.json, exit 0", async (flag) => {
    using out = vi.spyOn(process.stdout, "write").mockReturnValue(true);

    const { exit } = await orrery(flag);

    expect(exit).toBe(0);
    expect(out.mock.calls.map(([chunk]) => chunk)).toEqual([`${versionText()}\n`]);
  });

  it("a mistyped command gets its nearest, whichever module has it", async () => {
    const { exit } = await orrery("descrbe");

    expect(exit).toBe(2);
  });
});
