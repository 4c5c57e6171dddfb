import { afterEach, describe, expect, it } from "vitest";
import type { Logger } from "../../../src/telemetry/index.ts";
import { type DaemonWorld, openDaemonWorld } from "../../support/daemon-world.ts";
import { reconcilePass } from "../../support/reconcile-pass.ts";
import { silentLog } from "../../support/silent-log.ts";
import { dagPath, dagText, logStep, tenantFiles } from "../../support/spec-commits.ts";

const hello = dagText({ steps: { hello: logStep() } });
const foreign = dagText({ steps: { hello: { ...logStep(), uses: "core.files@9.9.9" } } });

let world: DaemonWorld;
afterEach(() => world[Symbol.asyncDispose]());

interface Line {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

function warnings(): { readonly log: Logger; readonly take: () => readonly Line[] } {
  const lines: Line[] = [];
  return {
    log: { ...silentLog, warn: (fields, message) => lines.push({ fields, message }) },
    take: () => lines.splice(0),
  };
}

describe("the log of a pass", () => {
  it("names each document that is newly held, with line, column, code and reason, once", async () => {
    world = await openDaemonWorld({ files: { ...tenantFiles("acme"), [dagPath("acme", "hello")]: hello } });
    const { log, take } = warnings();
    const life = await world.live({ log });
    await reconcilePass(life);
    const quiet = take();

    await world.spec.commit({
      [dagPath("acme", "hello")]: hello.replace("rationale", "rationalo"),
      [dagPath("acme", "other")]: foreign,
    });
    await reconcilePass(life);
    const said = take();
    await reconcilePass(life, { full: true });
    const again = take();

    expect(quiet).toEqual([]);
    expect(said.map(({ message }) => message)).toEqual(["a document is held", "a document is held"]);
    expect(said[0]?.fields).toMatchObject({ tenant: "acme", revision: world.spec.head, code: "SPEC_UNKNOWN_KEY" });
    expect(said[0]?.fields["at"]).toMatch(/^tenants\/acme\/dags\/hello\.yaml:3:\d+$/u);
    expect(String(said[0]?.fields["detail"])).toContain("rationalo");
    expect(said[1]?.fields["at"]).toMatch(/^tenants\/acme\/dags\/other\.yaml:\d+:\d+$/u);
    expect(again).toEqual([]);
  });

  it("stays short where a tenant breaks hundreds of documents at once", async () => {
    world = await openDaemonWorld({ files: { ...tenantFiles("acme"), [dagPath("acme", "hello")]: hello } });
    const { log, take } = warnings();
    const life = await world.live({ log });
    await reconcilePass(life);
    const broken = Array.from({ length: 300 }, (_, n) => [dagPath("acme", `d${String(n)}`), "spec: ["] as const);

    await world.spec.commit(Object.fromEntries(broken));
    await reconcilePass(life);
    const said = take();

    expect(said).toHaveLength(21);
    expect(said.at(-1)?.fields).toMatchObject({ tenant: "acme", more: 280 });
  });
});
