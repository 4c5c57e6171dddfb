import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readdirSync, readFileSync } from "node:fs";
import { Command } from "commander";
import type { FastifyInstance } from "fastify";
import { commandModules } from "../../../src/cli/command-modules.ts";
import { createMetrics } from "../../../src/telemetry/index.ts";
import { type Api, acmeRun, logHash, openApi } from "../api/api-fixture.ts";
import { orrery } from "../cli/cli-fixture.ts";
import type { Kind, Rule, Surface } from "./matrix.ts";

interface Route extends Surface {
  readonly method: string;
  readonly url: string;
  readonly isMetrics: boolean;
}

/** The real servers and every route that they registered, as fastify itself tells. */
export async function openDoors(): Promise<{ readonly api: Api; readonly routes: readonly Route[] }> {
  const routes = new Map<string, Route>();
  let apps = 0;
  const onApp = (message: unknown): void => {
    const { fastify } = message as { readonly fastify: FastifyInstance };
    const isMetrics = apps++ === 1;
    fastify.addHook("onRoute", ({ method, url }) => {
      for (const one of [method].flat().filter((each) => each !== "HEAD"))
        routes.set(`${one} ${url}`, { name: `${one} ${url}`, method: one, url, isMetrics });
    });
  };
  subscribe("fastify.initialization", onApp);
  const api = await openApi();
  unsubscribe("fastify.initialization", onApp);
  return { api, routes: [...routes.values()] };
}

const samples: Readonly<Record<string, string>> = { dagId: "hello", runId: acmeRun, sha256: logHash };

const pathOf = (url: string): string =>
  url.replaceAll(/(?<!:):([A-Za-z]\w*)(\([^)]*\))?/gu, (_, name: string) => samples[name] ?? "x").replaceAll("::", ":");

export function endpoints(api: Api, routes: readonly Route[]): Kind<Route> {
  const ask = async (route: Route, headers: Readonly<Record<string, string>>): Promise<string> => {
    const base = route.isMetrics ? api.metricsUrl : api.url;
    const response = await fetch(`${base}${pathOf(route.url)}`, { method: route.method, headers });
    const text = await response.text();
    const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") === true;
    return isProblem ? (JSON.parse(text) as { readonly code: string }).code : String(response.status);
  };
  const refuses = (name: string, code: string, headers: () => Promise<Record<string, string>>): Rule<Route> => ({
    name,
    check: async (route) => {
      const answer = await ask(route, await headers());
      return answer === code ? null : `answers ${answer}, not ${code}`;
    },
  });
  return {
    title: "Endpoints",
    source: "Every route of the running servers. What a caller gets who breaks the rule is a problem document.",
    surfaces: routes,
    rules: [
      refuses("tenant header", "TENANT_REQUIRED", async () => ({ authorization: `Bearer ${await api.token()}` })),
      refuses("token", "TOKEN_REQUIRED", () => Promise.resolve({ "x-stella-tenant": "acme" })),
      refuses("token of ours", "TOKEN_REQUIRED", async () => ({
        authorization: `Bearer ${await api.token({}, api.foreignKey)}`,
        "x-stella-tenant": "acme",
      })),
      refuses("token of this tenant", "TENANT_MISMATCH", async () => ({
        authorization: `Bearer ${await api.token({ tenant: "borealis" })}`,
        "x-stella-tenant": "acme",
      })),
      refuses("a scope", "SCOPE_REQUIRED", async () => ({
        authorization: `Bearer ${await api.token({ scopes: [] })}`,
        "x-stella-tenant": "acme",
      })),
    ],
    exemptions: ["tenant header", "token", "token of ours", "token of this tenant", "a scope"].flatMap((rule) => [
      ["GET /healthz", rule, "says nothing of a tenant"] as const,
      ["GET /readyz", rule, "says nothing of a tenant"] as const,
      ["GET /metrics", rule, "a listener of its own, loopback unless configured"] as const,
    ]),
  };
}

interface Family extends Surface {
  readonly samples: readonly string[];
}

export async function metrics(): Promise<Kind<Family>> {
  const own = createMetrics();
  own.openTenant("acme");
  const lines = (await own.render(new Map([["acme", 0]]))).split("\n");
  const families = lines.flatMap((line) => /^# TYPE (\S+)/u.exec(line)?.[1] ?? []);
  return {
    title: "Metrics",
    source: "Every family of the registry, after a tenant was opened and before anything ran.",
    surfaces: families.map((name) => ({
      name,
      samples: lines.filter((line) => new RegExp(`^${name}(_bucket|_sum|_count)?[{ ]`, "u").test(line)),
    })),
    rules: [
      {
        name: "tenant on every sample",
        check: ({ samples: all }) => all.find((sample) => !/[{,]tenant="acme"[,}]/u.test(sample)) ?? null,
      },
      { name: "exists from the start", check: ({ samples: all }) => (all.length > 0 ? null : "has no sample") },
      { name: "help", check: ({ name }) => (lines.some((line) => line.startsWith(`# HELP ${name} `)) ? null : "none") },
    ],
  };
}

interface Leaf extends Surface {
  readonly command: Command;
}

export async function commands(): Promise<Kind<Leaf>> {
  const program = new Command();
  const context = { terminal: { print: () => undefined, note: () => undefined, isTty: false }, exit: () => undefined };
  for (const { load } of commandModules) (await load())(program, context);
  const documented = readDocs();
  return {
    title: "Commands",
    source: "Every command that the CLI registers.",
    surfaces: leaves(program.commands, []),
    rules: [
      {
        name: "a wrong option is exit 2",
        check: async ({ name }) => {
          const { exit } = await orrery(...name.split(" "), "--no-such-option");
          return exit === 2 ? null : `exit ${String(exit)}`;
        },
      },
      { name: "says what it does", check: ({ command }) => (command.description() === "" ? "no description" : null) },
      {
        name: "every option says what it does",
        check: ({ command }) =>
          command.options.find(({ description, argChoices }) => description === "" && argChoices === undefined)
            ?.flags ?? null,
      },
      {
        name: "stands in docs",
        check: ({ name }) => (documented.includes(`orrery ${name}`) ? null : `\`orrery ${name}\` stands nowhere`),
      },
    ],
  };
}

/** What a person wrote; the matrix itself names every command. */
const readDocs = (): string =>
  readdirSync("docs")
    .filter((file) => file.endsWith(".md") && file !== "invariants.md")
    .map((file) => readFileSync(`docs/${file}`, "utf8"))
    .join("\n");

function leaves(all: readonly Command[], above: readonly string[]): readonly Leaf[] {
  return all.flatMap((command) => {
    const path = [...above, command.name()];
    return command.commands.length === 0 ? [{ name: path.join(" "), command }] : leaves(command.commands, path);
  });
}
