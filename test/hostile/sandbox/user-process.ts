// A daemon of an ordinary user: six steps, their ends on stdout. `bare`: on a machine without any tool for sandboxes.
import { openSandbox, outcome, type StepOverrides } from "./open-sandbox.ts";

const host = (builtin: string): StepOverrides => ({ isolation: "host", builtins: [builtin] });
const attempt = (call: string): string => `() => { try { ${call}; return {}; } catch { return { stopped: true }; } }`;

async function main(): Promise<void> {
  const system = { platform: process.platform, arch: process.arch, toolDirs: [] };
  await using bench = await openSandbox(process.argv[2] === "bare" ? { system } : {});
  const outcomes = [
    await bench.step("() => ({ ok: 1 })"),
    await bench.step("() => { const all = []; for (;;) all.push(new Uint8Array(16 << 20).fill(1)); }"),
    await bench.step("() => { for (;;); }", { limits: { timeoutMs: 700 } }),
    await bench.step(attempt("require('fs').readFileSync('/etc/passwd')"), host("fs")),
    await bench.step(attempt("require('child_process').execSync('true')"), host("child_process")),
    await bench.step("() => { require('fs').writeSync(3, 'junk\\n'); return new Promise(() => {}); }", host("fs")),
  ].map(outcome);
  const { level, reason } = bench.hosts.facts;
  process.stdout.write(JSON.stringify({ level, reason, outcomes }));
}

await main();
