import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/base/index.ts";
import { booleanOf, parseGitConfig, settingOf } from "../../../src/git/read/git-config.ts";
import { pruningRemotes } from "../../../src/git/read/pruning-remote.ts";

const text = (...lines: readonly string[]): string => `${lines.join("\n")}\n`;

describe("git config", () => {
  it("reads sections, quotes, escapes, comments and continued lines as git does", () => {
    const config = parseGitConfig(
      text(
        "; comment",
        '[core] bare = yes # "quoted" comment',
        "\tfilemode",
        '[Remote "Ori\\"gin"]',
        '  url = "a b;c" d   # e',
        "  fetch = one\\",
        "two",
        "[branch.main]",
        'x = a\\tb\\n"  "',
      ),
    );

    expect(config).toEqual([
      { section: "core", key: "bare", value: "yes" },
      { section: "core", key: "filemode", value: null },
      { section: 'remote.Ori"gin', key: "url", value: "a b;c d" },
      { section: 'remote.Ori"gin', key: "fetch", value: "onetwo" },
      { section: "branch.main", key: "x", value: "a\tb\n  " },
    ]);
  });

  it("takes the last value and git's words for yes and no", () => {
    const config = parseGitConfig(text("[a]", "x = true", "x = off", "y", "z = 2", "w = perhaps"));

    expect(settingOf(config, "a", "x")).toBe("off");
    expect(["x", "y", "z", "w", "v"].map((key) => booleanOf(config, "a", key))).toEqual([
      false,
      true,
      true,
      undefined,
      undefined,
    ]);
  });

  it.each([
    ["[core", 1],
    ["\n\nx = 1", 3],
    ['[a]\nx = "open', 2],
    ["[a]\n=", 2],
    ["[a]\nx = \\q", 2],
  ])("names the line of %j", (broken, line) => {
    expect(() => parseGitConfig(broken)).toThrow(`config line ${String(line)} cannot be read`);
  });

  it("never crashes or hangs on arbitrary text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("[", "]", '"', "\\", "\n", "=", "a", " ", "#", ".") }), (any) => {
        try {
          expect(parseGitConfig(any)).toBeInstanceOf(Array);
        } catch (error) {
          expect(error).toBeInstanceOf(Fault);
        }
      }),
    );
  });
});

describe("remotes that would prune the audit branch", () => {
  const remote = (...lines: readonly string[]): readonly string[] =>
    pruningRemotes(parseGitConfig(text('[remote "origin"]', "url = x", ...lines)));

  it.each([
    ["a mirror clone", ["fetch = +refs/*:refs/*", "mirror = true"]],
    ["pruning over all branches", ["fetch = +refs/heads/*:refs/heads/*", "prune = true"]],
    ["pruning by fetch.prune", ["fetch = +refs/heads/*:refs/heads/*", "[fetch]", "prune"]],
    ["pruning over the audit branches", ["fetch = refs/heads/audit/*:refs/heads/audit/*", "prune = yes"]],
    ["pruning over our anchors", ["fetch = +refs/orrery/*:refs/orrery/*", "prune = true"]],
  ])("names %s", (_, lines) => {
    expect(remote(...lines)).toEqual(["origin"]);
  });

  it.each([
    ["an ordinary remote", ["fetch = +refs/heads/*:refs/remotes/origin/*", "prune = true"]],
    ["a mirror for pushing alone", ["mirror = true"]],
    ["a mirror that prunes nothing", ["fetch = +refs/heads/*:refs/heads/*"]],
    ["fetch.prune overruled for the remote", ["fetch = +refs/*:refs/*", "prune = false", "[fetch]", "prune = true"]],
  ])("leaves %s alone", (_, lines) => {
    expect(remote(...lines)).toEqual([]);
  });
});
