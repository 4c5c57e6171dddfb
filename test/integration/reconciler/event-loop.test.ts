import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { type DaemonWorld, openDaemonWorld } from "../../support/daemon-world.ts";
import { rounds, soakTimeout } from "../../support/effort.ts";
import { longestTurnShare } from "../../support/loop-gaps.ts";
import { reconcilePass } from "../../support/reconcile-pass.ts";
import { dagPath, dagText, logStep, tenantFiles } from "../../support/spec-commits.ts";

const count = rounds(2000, 10_000);
/** How long the longest turn lasts is measured by `npm run bench -- reconcile`: here, that nothing is done in one go. */
const maxShare = 0.05;
const textOf = (message: string): string => dagText({ steps: { hello: logStep(message) } });

/** Commits by stock git, in one pack as a push leaves them. */
function push(world: DaemonWorld, commits: readonly (readonly (readonly [string, string])[])[]): void {
  const seconds = Math.floor(Date.now() / 1000);
  const lines = commits.map((files, i) =>
    [
      "commit refs/heads/main",
      `committer Ana <ana@acme.example> ${String(seconds)} +0000`,
      "data 1\nx",
      ...(i === 0 ? ["from refs/heads/main^0"] : []),
      ...files.map(([path, text]) => `M 644 inline ${path}\ndata ${String(Buffer.byteLength(text))}\n${text}`),
      "",
    ].join("\n"),
  );
  execFileSync("git", ["-C", world.spec.dir, "fast-import", "--quiet"], { input: lines.join("") });
}

const unsigned =
  "apiVersion: orrery/v1\nkind: Repository\nspec:\n  trust: { commits: none }\n  brakes: { prunePercent: 100 }\n";

describe("the event loop", () => {
  it(
    "is served while thousands of commits are verified",
    async () => {
      await using world = await openDaemonWorld({
        files: { ...tenantFiles("acme"), [dagPath("acme", "hello")]: textOf("0") },
      });
      await world.spec.commit({ "orrery.yaml": unsigned });
      const life = await world.live();
      await reconcilePass(life);
      push(
        world,
        Array.from({ length: count }, (_, n) => [[dagPath("acme", "hello"), textOf(String(n))]]),
      );

      const share = await longestTurnShare(() => reconcilePass(life));

      expect(share).toBeLessThan(maxShare);
      const [kept] = await world.db.admin<{ n: number }>("select count(*)::int as n from dag_version");
      expect(kept?.n).toBe(count);
    },
    soakTimeout(300_000),
  );

  it(
    "is served while thousands of specs are decoded and applied",
    async () => {
      await using world = await openDaemonWorld({
        files: { ...tenantFiles("acme"), [dagPath("acme", "hello")]: textOf("0") },
      });
      await world.spec.commit({ "orrery.yaml": unsigned });
      const life = await world.live();
      await reconcilePass(life);
      push(world, [
        Array.from({ length: count }, (_, n) => [dagPath("acme", `d${String(n)}`), textOf(String(n))] as const),
      ]);

      const share = await longestTurnShare(() => reconcilePass(life));

      expect(share).toBeLessThan(maxShare);
      const [applied] = await world.db.admin<{ n: number }>("select count(*)::int as n from dag where armed");
      expect(applied?.n).toBe(count + 1);
    },
    soakTimeout(300_000),
  );
});
