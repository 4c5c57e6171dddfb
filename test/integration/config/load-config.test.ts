import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig, readEnvironment } from "../../../src/config/index.ts";

function setup({
  file = "",
  env = {},
  flags = {},
}: {
  file?: string;
  env?: Record<string, string>;
  flags?: Record<string, string>;
}) {
  const data = mkdtempSync(path.join(tmpdir(), "orrery-config-"));
  if (file !== "") writeFileSync(path.join(data, "config.yaml"), file);
  const load = () =>
    loadConfig({ flags: { data, ...flags }, environment: readEnvironment(env), cwd: "/srv", isRoot: false });
  return { data, load };
}

describe("loadConfig", () => {
  it("fills in every default when only the repository is named", () => {
    const { data, load } = setup({ flags: { repository: "specs.git" } });

    expect(load()).toEqual({
      site: "local",
      specRef: "refs/heads/main",
      repository: "/srv/specs.git",
      dataDir: data,
      http: { host: "127.0.0.1", port: 7433 },
      metrics: { host: "127.0.0.1", port: 7434 },
      audit: { repository: null, maxLagMs: 86_400_000 },
      sandbox: { minLevel: "confined", allowWeak: null, hosts: null },
      uidsBase: 61000,
      databaseUrl: null,
      pinnedSigners: null,
      credentialsDir: null,
    });
  });

  it("lets a flag win over the environment and the environment over the file", () => {
    const { load } = setup({
      file: "site: { name: from-file }\nspec: { ref: refs/heads/file }\nrepository: /file\nsandbox: { hosts: 3 }\n",
      env: { ORRERY_SITE_NAME: "from-env", ORRERY_SPEC_REF: "refs/heads/env", DATABASE_URL: "postgres://h/db" },
      flags: { "site.name": "from-flag" },
    });

    const config = load();

    expect(config).toMatchObject({
      site: "from-flag",
      specRef: "refs/heads/env",
      repository: "/file",
      databaseUrl: "postgres://h/db",
    });
    expect(config.sandbox.hosts).toBe(3);
  });

  it("reports all problems together, each with its key", () => {
    const { load } = setup({
      file: "site: { name: Not_An_Id }\nspecs: {}\nhttp: { listen: nowhere }\nrepository: /x\n",
    });

    expect(load).toThrow(/specs: there is no such key/);
    expect(load).toThrow(/site\.name/);
    expect(load).toThrow(/http\.listen/);
  });

  it("names file and line where the file is no YAML", () => {
    const { load } = setup({ file: "site: {\n" });

    expect(load).toThrow(/config\.yaml:\d+:\d+/);
  });

  it("is frozen to the bottom", () => {
    const config = setup({ flags: { repository: "/x" } }).load();

    expect(Object.isFrozen(config.sandbox)).toBe(true);
  });
});
