import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { openApi } from "../api/api-fixture.ts";
import { nobodysEnvironment, openHome, orrery } from "./cli-fixture.ts";

/** Level process is what every machine of a test run can give. */
const config = (more = ""): string =>
  `sandbox: { minLevel: process, allowWeak: { level: process, reason: tests } }\n${more}`;

describe("orrery doctor", () => {
  it("says one line for each tool, probe, and part of the installation", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home);
    const data = home.join("data");
    mkdirSync(data);
    writeFileSync(home.join("data", "config.yaml"), config());
    await orrery("init", home.join("specs.git"), "--data", data, "--key", home.key);

    const { out } = await orrery("doctor", "--data", data);

    const lines = out.split("\n");
    expect(lines.filter((line) => !/^(ok {2}|warn|FAIL) {2}[^:]+: /.test(line))).toEqual([]);
    for (const what of ["node", "git", "ssh-keygen", "bwrap", "sandbox", "disk", "repository", "site", "clock"])
      expect(lines.filter((line) => line.slice(6).startsWith(`${what}: `))).toHaveLength(1);
    expect(out).toMatch(/canary, run as root: |level none/);
    expect(out).toContain(`warn  daemon: none runs on ${data} (orrery up)`);
  });

  it("a repository that is not read, and a site without its file, are FAIL with the fix; exit 1", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home);
    mkdirSync(home.join("data"));
    writeFileSync(home.join("data", "config.yaml"), config(`repository: ${home.join("nowhere")}\n`));
    const missing = await orrery("doctor", "--data", home.join("data"));
    await orrery("init", home.join("specs.git"), "--data", home.join("other"), "--key", home.key, "--site", "hq");
    writeFileSync(
      home.join("data", "config.yaml"),
      config(`repository: ${home.join("specs.git")}\nsite: { name: w }\n`),
    );
    const unknown = await orrery("doctor", "--data", home.join("data"));

    expect(missing.exit).toBe(1);
    expect(missing.out).toMatch(/FAIL {2}repository: no Git repository at .* \(orrery init .*\)/);
    expect(unknown.exit).toBe(1);
    expect(unknown.out).toMatch(/FAIL {2}site: refs\/heads\/main has no sites\/w\.yaml/);
  });

  it("a configuration that does not decode is one line, not the end of the report", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home);
    mkdirSync(home.join("data"));
    writeFileSync(home.join("data", "config.yaml"), "nonsense: 1\n");

    const { exit, out } = await orrery("doctor", "--data", home.join("data"));

    expect(exit).toBe(1);
    expect(out).toContain("FAIL  configuration: nonsense: there is no such key");
    expect(out).toMatch(/^(ok {2}|warn) {2}disk: /m);
  });

  it("asks the running daemon: every reason of readyz is a line", async () => {
    using home = openHome();
    using _ = nobodysEnvironment(home);
    await using api = await openApi();
    mkdirSync(home.join("data"));
    const file = { pid: process.pid, url: api.url, metricsUrl: api.metricsUrl };
    writeFileSync(home.join("data", "daemon.json"), JSON.stringify(file));

    const { exit, out } = await orrery("doctor", "--data", home.join("data"));

    expect(exit).toBe(1);
    expect(out).toContain(`ok    daemon: pid ${process.pid} at ${api.url}, site hq, nothing applied`);
    expect(out).toContain("FAIL  Reconciling: the first pass has not ended");
    expect(out).toContain("ok    clock of the daemon: agrees");
  });

  it("tells whether somebody listens where DATABASE_URL points, and never shows its password", async () => {
    using home = openHome();
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    using _ = nobodysEnvironment(home, { DATABASE_URL: `postgres://u:hunter2@127.0.0.1:${port}/o` });
    await orrery("init", home.join("specs.git"), "--data", home.join("data"), "--key", home.key);

    const up = await orrery("doctor", "--data", home.join("data"));
    await new Promise((resolve) => server.close(resolve));
    const down = await orrery("doctor", "--data", home.join("data"));

    expect(up.out).toContain(`ok    database: somebody listens at 127.0.0.1:${port}`);
    expect(down.out).toContain(`FAIL  database: nobody answers at 127.0.0.1:${port}`);
    expect(up.out + down.out).not.toContain("hunter2");
  });
});
