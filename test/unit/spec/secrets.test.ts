import { describe, expect, it } from "vitest";
import { knownSecret, likelySecret } from "../../../src/spec/check/secret-shapes.ts";
import {
  checkDag,
  decodeDocument,
  decodeSnapshot,
  effectiveAllowlist,
  effectiveQuota,
  type PluginManifest,
} from "../../../src/spec/index.ts";
import { bytesOf, dagText } from "../../support/spec-fixtures.ts";

const decoded = (path: string, text: string) => {
  const result = decodeDocument({ path, bytes: bytesOf(text) });
  if (!result.ok) throw new Error(JSON.stringify(result.findings));
  return result.document;
};

const pluginOf = (secrets: string): PluginManifest => {
  const text = `apiVersion: orrery/v1
kind: Plugin
spec:
  service: notify
  emits: raw
  sha256: "${"a".repeat(64)}"
  needs: { network: true, secrets: ${secrets} }
  input: { type: object }
  output: { type: object }
`;
  const document = decoded("plugins/notify.post/1.0.0/plugin.yaml", text);
  if (document.kind !== "Plugin") throw new Error("no plugin");
  return document.spec;
};

const check = (secrets: string, needs: string) => {
  const path = "tenants/acme/dags/nightly.yaml";
  const document = decoded(path, dagText(`steps:\n  post: { uses: notify.post@1.0.0${secrets} }`));
  if (document.kind !== "Dag") throw new Error("no DAG");
  const plugin = pluginOf(needs);
  return checkDag(document.spec, {
    ...{ path, positions: document.positions, files: [] },
    plugin: () => plugin,
    checkSchedule: () => null,
  }).map(({ code, severity, pointer, message }) => ({ code, severity, pointer, message }));
};

describe("secrets of a step and of its plugin", () => {
  it("fit where each needed one is given, an optional one or not", () => {
    expect(check(", secrets: { token: notify_token }", "[token]")).toEqual([]);
    expect(check("", "[{ name: token, optional: true }]")).toEqual([]);
    expect(check(", secrets: { token: notify_token }", "[{ name: token, optional: true }]")).toEqual([]);
  });

  it("do not fit where a needed one is missing or one is not taken", () => {
    expect(check("", "[token]")).toEqual([
      {
        code: "STEP_SECRETS",
        severity: "error",
        pointer: "/spec/steps/post",
        message: "notify.post needs the secret `token`",
      },
    ]);
    expect(check(", secrets: { tokn: notify_token }", "[{ name: token, optional: true }]")).toEqual([
      {
        code: "STEP_SECRETS",
        severity: "error",
        pointer: "/spec/steps/post/secrets/tokn",
        message: "notify.post takes no secret `tokn`",
      },
    ]);
  });

  it("are a set by name, whichever way they are written", () => {
    const [short, long] = [pluginOf("[user, token]"), pluginOf("[{ name: token }, { name: user, optional: false }]")];

    expect(long.needs.secrets).toEqual(short.needs.secrets);
    expect(short.needs.secrets.map(({ name }) => name)).toEqual(["token", "user"]);
  });
});

describe("the normal form", () => {
  const specTextOf = (text: string) => {
    const document = decoded("tenants/acme/dags/nightly.yaml", dagText(text));
    return document.kind === "Dag" ? document.specText : "";
  };

  it("holds the names of secrets, and nothing where there are none", () => {
    const without = specTextOf("steps:\n  a: { uses: core.log@1.0.0 }");

    expect(specTextOf("steps:\n  a: { uses: core.log@1.0.0, secrets: {} }")).toBe(without);
    expect(specTextOf("steps:\n  a: { uses: core.log@1.0.0, secrets: { b: x, a: y } }")).toContain(
      '"secrets":{"a":"y","b":"x"}',
    );
  });

  it("of an allowlist keeps who may be lent what, and leaves the rationale to readers", () => {
    const document = decoded(
      "tenants/acme/allowlist.yaml",
      'apiVersion: orrery/v1\nkind: Allowlist\nspec:\n  secrets: [{ name: notify_token, for: ["notify.*", core.js], rationale: notices }]\n',
    );

    expect(document.kind === "Allowlist" && document.spec.secrets).toEqual([
      { name: "notify_token", for: ["core.js", "notify.*"] },
    ]);
    expect(effectiveAllowlist(null).secrets).toEqual([]);
  });
});

it("a snapshot that was stored before there were secrets has none", () => {
  const plugin = { name: "core.log", needs: { network: false, builtins: [] } };
  const old = {
    ...{ revision: "r", quota: effectiveQuota(null), files: [] },
    allowlist: { plugins: [], endpoints: [] },
    plugins: { "core.log@1.0.0": plugin },
  };

  const read = decodeSnapshot(JSON.stringify(old));

  expect(read).toEqual({
    ...{ revision: "r", quota: effectiveQuota(null), files: [], secrets: [] },
    allowlist: { plugins: [], endpoints: [], secrets: [] },
    plugins: { "core.log@1.0.0": { ...plugin, needs: { network: false, builtins: [], secrets: [] } } },
  });
});

describe("secrets that stand in the text of a document", () => {
  // Put together here, so that no scanner of this repository finds one.
  const token = `ghp_${"a1B2".repeat(9)}`;
  const tenant = "apiVersion: orrery/v1\nkind: Tenant\nspec: { owners: [ana] }\n";
  const places = (path: string, text: string): readonly string[] => {
    const result = decodeDocument({ path, bytes: bytesOf(text) });
    return result.ok ? [] : result.findings.map(({ code, line, col }) => `${code} ${String(line)}:${String(col)}`);
  };

  it("are found in comments, in every kind, in what does not parse, each line with its place", () => {
    expect(places("tenants/acme/tenant.yaml", `${tenant}# ${token}\n# and ${token}\n`)).toEqual([
      "SECRET_IN_SPEC 4:3",
      "SECRET_IN_SPEC 5:7",
    ]);
    expect(places("tenants/acme/tenant.yaml", `${tenant}x: [${token}\n`)).toContain("SECRET_IN_SPEC 4:5");
    expect(places("tenants/acme/tenant.yaml", `\ufeff# ${token}\r\n${tenant}`)).toEqual(["SECRET_IN_SPEC 1:3"]);
    expect(places("tenants/acme/tenant.yaml", tenant)).toEqual([]);
  });

  it("are never repeated in a message", () => {
    const result = decodeDocument({ path: "tenants/acme/tenant.yaml", bytes: bytesOf(`# ${token}\n${tenant}`) });

    expect(JSON.stringify(result)).not.toContain(token);
  });

  it.each([
    ["an Authorization header", `Bearer ${"7f3a9c2e".repeat(4)}`],
    ["an Authorization header", `Basic ${"dXNlcjpw".repeat(2)}YXNzd29yZDEyMw==`],
  ])("known: %s", (_what, text) => {
    expect(places("tenants/acme/tenant.yaml", `${tenant}# ${text}\n`)).toEqual(["SECRET_IN_SPEC 4:3"]);
  });

  it.each([
    "Bearer authentication-is-used-here",
    "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea",
    "theQuickBrownFoxJumps2Over3Lazy4DogsAndRunsAway",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "123e4567-e89b-12d3-a456-426614174000",
    "registry.example/ns/app@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "pkg:npm/%40angular/animation@12.3.1?vcs_url=git%2Bhttps://github.com/foo/bar",
    "https://example.com/a/very/long/Path-With-Mixed123Case/AndMore/index.html",
    "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg",
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
  ])("what is public anyway is none: %s", (text) => {
    expect(knownSecret(text)).toBeNull();
    expect(likelySecret(text, "text")).toBeNull();
  });
});
