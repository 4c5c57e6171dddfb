import type { PluginRef } from "../../spec/index.ts";

const head = (kind: string, what: string): string =>
  `# ${what}\n# orrery explain ${kind.toLowerCase()}.spec names every field.\napiVersion: orrery/v1\nkind: ${kind}\nspec:\n`;

export const tenantText = (owner: string): string =>
  `${head("Tenant", "Who answers for this tenant.")}  owners: [${JSON.stringify(owner)}]
  # contact: ops@example.org
  # suspend: true  # no run of this tenant starts
`;

export const quotaText = `${head("Quota", "How much this tenant may use. These are the defaults: change what must differ.")}  weight: 1  # share of idle capacity against other tenants
  runs: { maxConcurrent: 4, maxQueued: 100 }
  steps: { maxConcurrent: 4 }
  # The ceilings of one step.
  perStep: { memory: 256Mi, cpuTime: 60s, timeout: 10m, scratch: 64Mi, output: 1Mi }
  minInterval: 1m  # the shortest time between two slots of a schedule
`;

/** `grants`: plugin names and version ranges; [] = a file that grants nothing yet. */
export function allowlistText(grants: readonly { readonly name: string; readonly versions: string }[]): string {
  const items = grants.map(({ name, versions }) => `    - { name: "${name}", versions: ["${versions}"] }\n`);
  return `${head("Allowlist", "What this tenant's steps may use and reach. What is not here is refused.")}  plugins:${
    items.length === 0 ? " []\n" : `\n${items.join("")}`
  }  # endpoints:
  #   - { host: notify.internal, port: 443, for: ["notify.*"], rationale: Say why. }
  # secrets:
  #   - { name: notify_token, for: ["notify.*"] }
`;
}

export interface FirstStep {
  readonly uses: PluginRef;
  /** As YAML in one line; null = the plugin takes an empty input. */
  readonly with: string | null;
}

export const dagText = ({ uses, with: input }: FirstStep): string =>
  `${head("Dag", "What runs, in which order.")}  rationale: Say in a sentence why this is wanted; auditors read it.
  # schedules:
  #   - { name: nightly, cron: "30 3 * * *", timezone: UTC }
  steps:
    hello:
      uses: ${uses.name}@${uses.version}
${input === null ? "" : `      with: ${input}\n`}    # next:
    #   needs: hello
    #   uses: ${uses.name}@${uses.version}
`;

interface PluginTexts {
  readonly service: string;
  /** Of the script, lower-case hex. */
  readonly sha256: string;
}

export const pluginText = ({ service, sha256 }: PluginTexts): string =>
  `${head("Plugin", "What plugin.js takes, gives and needs. A version that was pushed never changes again.")}  service: ${service}
  emits: raw  # derived: the output holds fields that only this service may state
  sha256: "${sha256}"
  effects: none  # idempotent or any where it changes something outside
  input:
    type: object
    required: [text]
    properties:
      text: { type: string, maxLength: 65536 }
    additionalProperties: false
  output:
    type: object
    required: [text]
    properties:
      text: { type: string }
    additionalProperties: false
`;

export const pluginScript = `// A classic script: no import, no require. run(input, ctx) answers the output, a JSON object.
var plugin = {
  default: {
    run(input, ctx) {
      ctx.log("info", "hello", { characters: input.text.length });
      return { text: input.text };
    },
  },
};
`;
