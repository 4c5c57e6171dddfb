import type { CodeName } from "../codes.ts";

const dag = (lines: string): string => `apiVersion: orrery/v1\nkind: Dag\nspec:\n  rationale: Say hello\n${lines}`;
const pair = (wrong: string, right: string): string => `wrong\n${dag(wrong)}\nright\n${dag(right)}`;
const oneStep = (fields: string): string => `  steps: { a: { ${fields} } }`;
const logged = (message: string): string => oneStep(`uses: core.log@1.0.0, with: { message: ${message} }`);

/**
 * What the codes most met look like, and what helps. `orrery explain` and docs/errors print them. Of a spec: the lines
 * after `wrong` are refused with this code, those after `right` are not (test/integration/cli/code-examples.test.ts).
 */
export const codeExamples: Readonly<Partial<Record<CodeName, string>>> = {
  NODE_TOO_OLD: `node --version                      # v18.19.0
nvm install 20 && npm start`,
  TOOL_MISSING: `apt-get install -y git openssh-client bubblewrap`,
  CONFIG_INVALID: `orrery doctor --data DIR            # names file, field and what would fit`,
  DATA_DIR_BUSY: `orrery up --data .orrery            # pid 4711 holds it
kill 4711                           # it stops clean on SIGTERM`,
  KEY_UNREADABLE: `ssh-keygen -t ed25519 -N "" -f ~/.ssh/orrery
chmod 600 ~/.ssh/orrery
orrery init DIR --key ~/.ssh/orrery`,
  DAEMON_UNREACHABLE: `orrery get dags -t acme             # no daemon runs on /var/lib/orrery
orrery get dags -t acme --data .orrery`,
  SPEC_YAML: `wrong
apiVersion: orrery/v1
kind: Dag
spec: { rationale: Say hello
right
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  steps: { a: { uses: core.log@1.0.0, with: { message: hello } } }`,
  SPEC_DUPLICATE_KEY: `wrong
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  rationale: Say hello again
  steps: { a: { uses: core.log@1.0.0, with: { message: hello } } }
right
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello again
  steps: { a: { uses: core.log@1.0.0, with: { message: hello } } }`,
  SPEC_YAML_FEATURE: `wrong
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: &why Say hello
  steps: { a: { uses: core.log@1.0.0, with: { message: *why } } }
right
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  steps: { a: { uses: core.log@1.0.0, with: { message: Say hello } } }`,
  SPEC_UNKNOWN_KEY: `wrong
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  steps: { a: { run: core.log@1.0.0, uses: core.log@1.0.0, with: { message: hello } } }
right
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  steps: { a: { uses: core.log@1.0.0, with: { message: hello } } }`,
  SPEC_MISSING_KEY: `wrong
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
right
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  steps: { a: { uses: core.log@1.0.0, with: { message: hello } } }`,
  SPEC_TYPE: `wrong
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  timeout: soon
  steps: { a: { uses: core.log@1.0.0, with: { message: hello } } }
right
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  timeout: 30m
  steps: { a: { uses: core.log@1.0.0, with: { message: hello } } }`,
  SPEC_KIND: `wrong
apiVersion: orrery/v1
kind: Quota
spec:
  rationale: Say hello
  steps: { a: { uses: core.log@1.0.0, with: { message: hello } } }
right
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  steps: { a: { uses: core.log@1.0.0, with: { message: hello } } }`,
  SPEC_PATH: `tenants/acme/dags/Nightly_VEX.yaml      # wrong: an id is a-z, 0-9 and hyphens
tenants/acme/dags/nightly-vex.yaml      # right`,
  DAG_CYCLE: `wrong
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  steps:
    a: { uses: core.log@1.0.0, with: { message: hello }, needs: b }
    b: { uses: core.log@1.0.0, with: { message: hello }, needs: a }
right
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  steps:
    a: { uses: core.log@1.0.0, with: { message: hello } }
    b: { uses: core.log@1.0.0, with: { message: hello }, needs: a }`,
  DAG_UNKNOWN_STEP: `wrong
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  steps:
    collect: { uses: core.log@1.0.0, with: { message: hello } }
    say: { uses: core.log@1.0.0, with: { message: hello }, needs: colect }
right
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  steps:
    collect: { uses: core.log@1.0.0, with: { message: hello } }
    say: { uses: core.log@1.0.0, with: { message: hello }, needs: collect }`,
  EXPR_SYNTAX: `wrong
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  steps: { a: { uses: core.log@1.0.0, with: { message: "\${{ run.tenant + }}" } } }
right
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  steps: { a: { uses: core.log@1.0.0, with: { message: "\${{ run.tenant }}" } } }`,
  EXPR_REFERENCE: `wrong
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  steps:
    a: { uses: core.log@1.0.0, with: { message: hello } }
    b: { uses: core.log@1.0.0, with: { message: "\${{ steps.a.status }}" } }
right
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  steps:
    a: { uses: core.log@1.0.0, with: { message: hello } }
    b: { uses: core.log@1.0.0, needs: a, with: { message: "\${{ steps.a.status }}" } }`,
  EXPR_COST: pair(
    `  inputs: { names: { type: array, items: { type: string } } }
${oneStep('uses: core.log@1.0.0, with: { message: x }, when: "${{ inputs.names.all(a, inputs.names.exists(b, a == b)) }}"')}`,
    `  inputs: { names: { type: array, maxItems: 100, items: { type: string, maxLength: 40 } } }
${oneStep('uses: core.log@1.0.0, with: { message: x }, when: "${{ inputs.names.all(a, inputs.names.exists(b, a == b)) }}"')}`,
  ),
  EXPR_TYPE: pair(logged('"${{ run.runNo }}"'), logged('"${{ string(run.runNo) }}"')),
  PLUGIN_UNKNOWN: pair(oneStep("uses: core.lgo@1.0.0, with: { message: hello }"), logged("hello")),
  DAG_DUPLICATE_NAME: pair(
    `${logged("hello")}\n  finally: { a: { uses: core.log@1.0.0, with: { message: done } } }`,
    `${logged("hello")}\n  finally: { end: { uses: core.log@1.0.0, with: { message: done } } }`,
  ),
  STEP_CODE: pair(
    oneStep("uses: core.js@1.0.0, with: { n: 1 }"),
    oneStep('uses: core.js@1.0.0, with: { n: 1 }, code: "({ n }) => ({ twice: n * 2 })"'),
  ),
  FILES_EMPTY: pair(
    oneStep('uses: core.files@1.0.0, files: ["vex/*.yaml"]'),
    oneStep('uses: core.files@1.0.0, files: ["vex/*.json"]'),
  ),
  SECRET_IN_EXPRESSION: pair(logged('"${{ secrets.token }}"'), logged('"${{ run.tenant }}"')),
  STEP_INPUT: pair(
    oneStep("uses: core.log@1.0.0, with: { mesage: hello }"),
    oneStep("uses: core.log@1.0.0, with: { message: hello }"),
  ),
  SCHEDULE_DST: pair(
    `  schedules: [{ cron: "30 2 * * *", timezone: Europe/Vienna }]\n${logged("hello")}`,
    `  schedules: [{ cron: "30 3 * * *", timezone: Europe/Vienna }]\n${logged("hello")}`,
  ),
  SCHEDULE_INVALID: `wrong
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  schedules: [{ name: nightly, cron: "0 25 * * *" }]
  steps: { a: { uses: core.log@1.0.0, with: { message: hello } } }
right
apiVersion: orrery/v1
kind: Dag
spec:
  rationale: Say hello
  schedules: [{ name: nightly, cron: "0 2 * * *" }]
  steps: { a: { uses: core.log@1.0.0, with: { message: hello } } }`,
  PLUGIN_DIGEST: `sha256sum plugins/acme.count/1.0.0/plugin.js    # write this under spec.sha256 of plugin.yaml`,
  PLUGIN_MUTATED: `git mv tenants/acme/plugins/acme.count/1.0.0 tenants/acme/plugins/acme.count/1.0.1    # then use 1.0.1 in the DAG`,
  ENDPOINT_NOT_ALLOWED: `# tenants/acme/allowlist.yaml, by a pull request that the operators review
endpoints:
  - { host: notify.example, port: 443, for: ["notify.*"], rationale: Where our notices go. }`,
  PLUGIN_NOT_ALLOWED: `# tenants/acme/allowlist.yaml, by a pull request that the operators review
plugins:
  - { name: vex-lens.link, versions: ["1.x"] }`,
  LIMIT_OVER_QUOTA: `# tenants/acme/quota.yaml grants perStep: { memory: 256Mi }; the step asks for 512Mi
limits: { memory: 256Mi }`,
  INTERVAL_BELOW_QUOTA: `# tenants/acme/quota.yaml says minInterval: 1m
schedules: [{ name: often, every: 1m }]`,
  LEVEL_TOO_WEAK: `orrery doctor                       # says why: no bwrap, or no user namespaces
apt-get install -y bubblewrap
sysctl -w kernel.apparmor_restrict_unprivileged_userns=0    # Ubuntu 24.04, where user namespaces are blocked`,
  TRUST_UNSIGNED: `git config gpg.format ssh
git config user.signingkey ~/.ssh/id_ed25519.pub
git commit --amend --no-edit -S && git push`,
  TRUST_UNKNOWN_KEY: `echo "ben@acme.example $(cut -d' ' -f1,2 ~/.ssh/id_ed25519.pub)" >> keys/spec_signers
git commit -qam "Ben may sign" -S   # signed by somebody who is already there; Ben's own commits come after`,
  TRUST_REWIND: `git revert --no-edit HEAD -S && git push    # not: git push --force`,
  REPO_UNSUPPORTED: `git fetch --unshallow                # of a shallow clone`,
  SITE_UNKNOWN: `orrery up --site hq                  # needs sites/hq.yaml in the repository`,
  PRUNE_BRAKE: `# orrery.yaml: a commit that removes most of a tenant waits; raise the brake, or remove in two commits
brakes: { prunePercent: 100 }`,
  STEP_FAILED: `orrery logs RUN -t acme              # what the step said, and its error`,
  STEP_TIMEOUT: `limits: { timeout: 15m }             # of the step; the quota's perStep.timeout is the ceiling`,
  STEP_OUT_OF_MEMORY: `limits: { memory: 256Mi }            # of the step; the quota's perStep.memory is the ceiling`,
  STEP_OUTPUT_TOO_LARGE: `const ref = await ctx.artifacts.write(bytes, "application/json");
return { report: ref };              // a reference of a few bytes instead of the report itself`,
  ERR_AOC_FIELD: `return { statements };               // links what others stated
return { verdict: "affected" };      // refused: only the service that owns it may derive it`,
  EGRESS_DENIED: `steps:
  post: { uses: notify.post@1.0.0, network: ["notify.example:443"] }    # declared by the step, granted by allowlist.yaml`,
  LOST_OUTCOME_UNKNOWN: `orrery describe RUN -t acme          # which step was running when its worker died`,
  AUDIT_TAMPERED: `orrery audit verify --repo REPO --signers FILE -o json    # names tenant, seq, path and line
git -C OTHER-CLONE show refs/heads/audit/hq:PATH          # the same file in a copy that you trust`,
  AUDIT_TRUNCATED: `git show refs/heads/audit/hq:checkpoint > kept    # while all is well; keep it elsewhere
orrery audit verify --repo REPO --signers FILE --witness kept`,
  AUDIT_SIGNER: `orrery audit verify --repo REPO --signers audit_signers   # not keys/spec_signers: those sign specs, never records`,
  AUDIT_LAG: `orrery doctor                        # says why the recorder cannot write
df -h REPO; ls -l REPO/refs/heads/audit`,
  TENANT_REQUIRED: `curl -H "X-Stella-Tenant: acme" -H "Authorization: Bearer $TOKEN" http://127.0.0.1:7433/api/v1/orchestrator/dags`,
  IDEMPOTENCY_KEY_REUSED: `orrery run acme/report -i day=1 --key report-1
orrery run acme/report -i day=2 --key report-2    # another question, another key`,
  METHOD_NOT_ALLOWED: `git commit -qam "Change the schedule" -S && git push    # not: PUT /dags/hello`,
};
