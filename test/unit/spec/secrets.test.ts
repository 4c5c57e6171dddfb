import { describe, expect, it } from "vitest";
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
