import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig, readEnvironment } from "../../../src/config/index.ts";
import { openRepository, toOid } from "../../../src/git/index.ts";
import { trustReader } from "../../../src/reconciler/index.ts";
import { nodeTrustCrypto, readPrivateKey } from "../../../src/signer/index.ts";
import { publicKeyLine, walkTrust } from "../../../src/trust/index.ts";
import { stockGit } from "../../support/git-fixtures.ts";
import { type Home, nobodysEnvironment, openHome, orrery, shell } from "./cli-fixture.ts";

const init = (home: Home, ...more: string[]) =>
  orrery("init", home.join("specs.git"), "--data", home.join("data"), "--key", home.key, ...more);

describe("orrery init", () => {
  it("makes a bare repository that stock git takes, its first commit signed by the person's key", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home);

    const { exit } = await init(home, "--site", "hq");

    const repository = home.join("specs.git");
    const signers = home.join("signers");
    writeFileSync(signers, stockGit(repository, ["show", "main:keys/spec_signers"]));
    expect(exit).toBe(0);
    expect(stockGit(repository, ["fsck", "--strict"])).toBe("");
    expect(stockGit(repository, ["rev-list", "--count", "main"])).toBe("1");
    expect(stockGit(repository, ["symbolic-ref", "HEAD"])).toBe("refs/heads/main");
    const verify = ["-c", `gpg.ssh.allowedSignersFile=${signers}`, "log", "-1", "--format=%G? %GS %ae", "main"];
    expect(stockGit(repository, verify)).toBe("G ana@acme.example ana@acme.example");
  });

  it("what it made is trusted on first use, names the recorder's key, and lints clean", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home);
    await init(home, "--site", "hq");

    using repository = openRepository(home.join("specs.git"));
    const head = repository.readRef("refs/heads/main");
    const walk = walkTrust({
      ...trustReader(repository),
      ...{ verified: null, head: head ?? "", pinnedSigners: null, now: new Date(), crypto: nodeTrustCrypto },
      readCommit: (oid) => repository.readCommit(toOid(oid)),
    });
    const recorder = readPrivateKey(home.join("data", "signer", "recorder.key"));

    expect(walk).toMatchObject({ stalled: null, trustedBy: "first_use", newly: [{ principal: "ana@acme.example" }] });
    expect(recorder.comment).toBe("audit@hq");
    expect(stockGit(home.join("specs.git"), ["show", "main:sites/hq.yaml"])).toContain(publicKeyLine(recorder.blob));
    expect((await orrery("lint", home.join("specs.git"))).out).toContain("nothing found");
  });

  it("writes site and repository where `up --data` reads them; what is secret is closed", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home);
    await init(home);

    const flags = { data: home.join("data") };
    const config = loadConfig({ flags, environment: readEnvironment({}), cwd: "/", isRoot: false });

    expect(config).toMatchObject({ site: "local", repository: home.join("specs.git"), specRef: "refs/heads/main" });
    expect(statSync(home.join("data")).mode & 0o777).toBe(0o755);
    expect(statSync(home.join("data", "signer")).mode & 0o777).toBe(0o700);
    expect(statSync(home.join("data", "signer", "recorder.key")).mode & 0o777).toBe(0o600);
  });

  it("the commands that it prints end in a clone whose signed push the trust walk accepts", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home);
    const { out } = await init(home);
    const lines = out.split("\n");
    const commands = lines.slice(lines.findIndex((line) => line.startsWith("And a clone")) + 1);

    const log = shell(
      home.path,
      [
        ...commands,
        "echo '# mine' >> README.md",
        "git commit -q -S -a -m change",
        "git push -q origin main",
        "git log --show-signature -1 2>&1",
      ],
      { HOME: home.path },
    );

    using repository = openRepository(home.join("specs.git"));
    const walk = walkTrust({
      ...trustReader(repository),
      ...{ verified: null, head: repository.readRef("refs/heads/main") ?? "", pinnedSigners: null },
      ...{ now: new Date(), crypto: nodeTrustCrypto },
      readCommit: (oid) => repository.readCommit(toOid(oid)),
    });
    expect(log).toContain('Good "git" signature for ana@acme.example');
    expect(walk).toMatchObject({ stalled: null });
    expect(walk.newly).toHaveLength(2);
  });

  it("signs by ssh-agent without --key, and git in the clone does so too", async () => {
    using home = openHome();
    const socket = home.join("agent");
    const agent = execFileSync("ssh-agent", ["-s", "-a", socket], { encoding: "utf8" });
    const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(agent)?.[1]);
    try {
      execFileSync("ssh-add", ["-q", home.key], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: "pipe" });
      using _ = nobodysEnvironment(home, { SSH_AUTH_SOCK: socket });

      const { exit, out } = await orrery("init", home.join("specs.git"), "--data", home.join("data"));
      const lines = out.split("\n");
      const commands = lines.slice(lines.findIndex((line) => line.startsWith("And a clone")) + 1);
      const log = shell(
        home.path,
        [...commands, "git commit -q -S --allow-empty -m again", "git log --show-signature 2>&1"],
        { HOME: home.path, SSH_AUTH_SOCK: socket },
      );

      expect(exit).toBe(0);
      expect(log.match(/Good "git" signature for ana@acme\.example/g)).toHaveLength(2);
    } finally {
      process.kill(pid);
    }
  });

  it("git's user.email is the principal before the key's comment", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home, { GIT_CONFIG_GLOBAL: home.join("own") });
    writeFileSync(home.join(".gitconfig"), "[user]\n\temail = ada@acme.example\n\tname = Ada L\n");
    writeFileSync(home.join("own"), "[user]\n\temail = ada@acme.example\n\tname = Ada L\n");

    await init(home);

    const signers = stockGit(home.join("specs.git"), ["show", "main:keys/spec_signers"]);
    expect(signers).toMatch(/^ada@acme\.example namespaces="git,orrery-approval" ssh-ed25519 /);
    expect(stockGit(home.join("specs.git"), ["log", "-1", "--format=%an <%ae>", "main"])).toBe(
      "Ada L <ada@acme.example>",
    );
  });

  it("without a key and without an agent: exit 2 with the ssh-keygen command, and nothing is made", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home);

    const { exit, notes } = await orrery("init", home.join("specs.git"), "--data", home.join("data"));

    expect(exit).toBe(2);
    expect(notes).toContain("ssh-keygen -t ed25519");
    expect(existsSync(home.join("specs.git"))).toBe(false);
    expect(existsSync(home.join("data"))).toBe(false);
  });

  it("a key that others can read, or of another type, is exit 2", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home);
    chmodSync(home.key, 0o644);

    expect((await init(home)).exit).toBe(2);
    expect(existsSync(home.join("data"))).toBe(false);
  });

  it("a target that is not empty is exit 3 and stays as it was", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home);
    mkdirSync(home.join("specs.git"));
    writeFileSync(home.join("specs.git", "mine"), "mine");

    const { exit, notes } = await init(home);

    expect(exit).toBe(3);
    expect(notes).toContain("INIT_TARGET");
    expect(readdirSync(home.join("specs.git"))).toEqual(["mine"]);
    expect(existsSync(home.join("data"))).toBe(false);
  });

  it("a data directory of another site, or of another repository, is exit 3 and stays as it was", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home);
    await init(home, "--site", "hq");
    const before = readFileSync(home.join("data", "config.yaml"), "utf8");

    const target = ["init", home.join("second.git"), "--data", home.join("data"), "--key", home.key];
    const otherSite = await orrery(...target, "--site", "west");
    const otherRepository = await orrery(...target, "--site", "hq");

    expect(otherSite).toMatchObject({ exit: 3, notes: expect.stringContaining("DATA_DIR_SITE") as unknown });
    expect(otherRepository).toMatchObject({ exit: 3, notes: expect.stringContaining("DATA_DIR_SITE") as unknown });
    expect(readFileSync(home.join("data", "config.yaml"), "utf8")).toBe(before);
    expect(existsSync(home.join("second.git"))).toBe(false);
  });

  it("the site of a config.yaml without the recorder's key counts too; its other keys and comments stay", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home);
    mkdirSync(home.join("data"));
    writeFileSync(home.join("data", "config.yaml"), "# ours\nsite: { name: hq }\nsandbox: { hosts: 3 }\n");

    const refused = await init(home, "--site", "west");
    const made = await init(home, "--site", "hq");

    expect([refused.exit, made.exit]).toEqual([3, 0]);
    const text = readFileSync(home.join("data", "config.yaml"), "utf8");
    expect(text).toContain("# ours");
    expect(text).toContain("hosts: 3");
  });

  it("one that was interrupted before the repository stood can be run again with the same recorder's key", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home);
    await init(home);
    const key = readFileSync(home.join("data", "signer", "recorder.key"), "utf8");
    execFileSync("rm", ["-r", home.join("specs.git")]);

    const again = await init(home);

    expect(again.exit).toBe(0);
    expect(readFileSync(home.join("data", "signer", "recorder.key"), "utf8")).toBe(key);
  });

  it.each([
    ["a site that is no id", ["--site", "HQ"], 2],
    ["a data directory within the repository", ["--data", "specs.git/data"], 2],
    ["a key that is not there", ["--key", "nowhere"], 2],
  ])("refuses %s", async (_what, argv, exit) => {
    using home = openHome();
    using _ = nobodysEnvironment(home);
    const absolute = argv.map((word, at) => (at === 1 && word.includes("/") ? join(home.path, word) : word));

    expect((await init(home, ...absolute)).exit).toBe(exit);
    expect(existsSync(home.join("specs.git"))).toBe(false);
  });
});
