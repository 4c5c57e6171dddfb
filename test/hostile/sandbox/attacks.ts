import type { StepOverrides } from "./open-sandbox.ts";

/** One attack of the table: what the step does, and how it must end. */
export interface Attack {
  readonly name: string;
  readonly run: string;
  readonly over?: StepOverrides;
  /** `class/code`, or the output that shows the attempt failed. Several where the kernel decides which wall is first. */
  readonly ends: readonly unknown[];
}

const host = (...builtins: string[]): StepOverrides => ({ isolation: "host", builtins });
const brief = { limits: { timeoutMs: 700 } } satisfies StepOverrides;

/** Stopped at every level. */
export const resourceAttacks: readonly Attack[] = [
  {
    name: "allocates Buffers without end",
    run: "() => { const all = []; for (;;) all.push(new Uint8Array(16 << 20).fill(1)); }",
    ends: ["resource/STEP_OUT_OF_MEMORY"],
  },
  {
    name: "allocates Buffers without end, with Node's own",
    run: "() => { const all = []; for (;;) all.push(Buffer.alloc(16 << 20, 1)); }",
    over: host(),
    ends: ["resource/STEP_OUT_OF_MEMORY"],
  },
  {
    name: "fills the heap",
    run: "() => { const all = []; for (;;) all.push(new Array(1000).fill({ a: 1 })); }",
    ends: ["resource/STEP_OUT_OF_MEMORY"],
  },
  {
    name: "grows one string until it breaks",
    run: "() => { let s = 'x'; const all = []; for (;;) { s += s + Math.random(); all.push(s.slice(0, s.length - 1) + 'y'); } }",
    ends: ["resource/STEP_OUT_OF_MEMORY", "permanent/STEP_FAILED"],
  },
  { name: "loops for ever", run: "() => { for (;;); }", over: brief, ends: ["timeout/STEP_TIMEOUT"] },
  {
    name: "loops for ever, with Node around",
    run: "() => { for (;;); }",
    over: { ...host(), ...brief },
    ends: ["timeout/STEP_TIMEOUT"],
  },
  {
    name: "loops for ever in promises",
    run: "async () => { for (;;) await null; }",
    over: brief,
    ends: ["timeout/STEP_TIMEOUT", "resource/STEP_OUT_OF_MEMORY"],
  },
  { name: "never resolves", run: "() => new Promise(() => {})", over: brief, ends: ["timeout/STEP_TIMEOUT"] },
  {
    name: "hangs in a regular expression",
    run: "() => ({ a: /^(a+)+$/.test('a'.repeat(40) + 'b') })",
    over: brief,
    ends: ["timeout/STEP_TIMEOUT"],
  },
  {
    name: "burns more CPU than its budget",
    run: "() => { for (;;); }",
    over: { limits: { cpuTimeMs: 300, timeoutMs: 20_000 } },
    ends: ["resource/STEP_CPU"],
  },
  {
    name: "burns more CPU than its budget, with Node around",
    run: "() => { for (;;); }",
    over: { ...host(), limits: { cpuTimeMs: 300, timeoutMs: 20_000 } },
    ends: ["resource/STEP_CPU"],
  },
  {
    name: "hides in native code that no abort reaches",
    run: "() => ({ a: require('crypto').pbkdf2Sync('a', 'b', 2e9, 64, 'sha512').length })",
    over: { ...host("crypto"), ...brief },
    ends: ["timeout/STEP_TIMEOUT"],
  },
  { name: "overflows the stack", run: "function f() { return f(); }", ends: ["permanent/STEP_FAILED"] },
  {
    name: "floods stdout",
    run: "() => { for (let i = 0; i < 1e6; i++) process.stdout.write('x'.repeat(4096)); return new Promise(() => {}); }",
    over: host(),
    ends: ["resource/STEP_FLOOD", "resource/STEP_OUT_OF_MEMORY"],
  },
  {
    name: "floods stdout past Node",
    run: "() => { for (;;) { try { require('fs').writeSync(1, 'x'.repeat(65536)); } catch {} } }",
    over: host("fs"),
    ends: ["resource/STEP_FLOOD"],
  },
  {
    name: "floods the log",
    run: "() => { for (;;) { try { console.log('x'.repeat(4096)); } catch {} } }",
    ends: ["resource/STEP_FLOOD"],
  },
  {
    name: "floods the log and lets the refusal pass",
    run: "(_, ctx) => { for (;;) ctx.log('info', 'x'.repeat(4096)); }",
    ends: ["resource/STEP_FLOOD"],
  },
  { name: "calls process.exit", run: "() => process.exit(0)", over: host(), ends: ["permanent/STEP_EXIT"] },
  {
    name: "calls process.exit later",
    run: "() => { setTimeout(() => process.exit(7), 5); return new Promise(() => {}); }",
    over: host(),
    ends: ["permanent/STEP_EXIT"],
  },
  { name: "aborts the process", run: "() => process.abort()", over: host(), ends: ["permanent/STEP_FAILED"] },
  {
    name: "returns 64 MB",
    run: "() => ({ text: 'x'.repeat(64 << 20) })",
    ends: ["resource/STEP_OUTPUT_TOO_LARGE"],
  },
  {
    name: "returns 64 MB in small pieces",
    run: "() => ({ list: Array.from({ length: 1 << 20 }, (_, i) => 'x'.repeat(60) + i) })",
    ends: ["resource/STEP_OUTPUT_TOO_LARGE", "resource/STEP_OUT_OF_MEMORY"],
  },
  {
    name: "returns more than its own limit",
    run: "() => ({ text: 'x'.repeat(5000) })",
    over: { limits: { outputBytes: 4096 } },
    ends: ["resource/STEP_OUTPUT_TOO_LARGE"],
  },
  {
    name: "fills its scratch",
    run: "() => { const fs = require('fs'); for (let i = 0; ; i++) fs.writeFileSync('/tmp/' + i, Buffer.alloc(1 << 20)); }",
    over: host("fs"),
    ends: ["permanent/STEP_FAILED"],
  },
];

/** What a step may say or throw. */
export const answerAttacks: readonly Attack[] = [
  { name: "returns U+0000", run: "() => ({ a: 'x\\u0000y' })", ends: ["permanent/ERR_OUTPUT_NOT_IJSON"] },
  { name: "returns U+0000 in a key", run: "() => ({ ['\\u0000']: 1 })", ends: ["permanent/ERR_OUTPUT_NOT_IJSON"] },
  { name: "returns a lone surrogate", run: "() => ({ a: '\\ud800' })", ends: ["permanent/ERR_OUTPUT_NOT_IJSON"] },
  { name: "returns NaN", run: "() => ({ a: NaN })", ends: ["permanent/ERR_OUTPUT_NOT_IJSON"] },
  { name: "returns an unsafe integer", run: "() => ({ a: 2 ** 60 })", ends: ["permanent/ERR_OUTPUT_NOT_IJSON"] },
  { name: "returns a BigInt", run: "() => ({ a: 1n })", ends: ["permanent/ERR_OUTPUT_NOT_IJSON"] },
  { name: "returns nothing", run: "() => undefined", ends: ["permanent/ERR_OUTPUT_NOT_IJSON"] },
  { name: "returns a text", run: "() => 'x'", ends: ["permanent/ERR_OUTPUT_NOT_IJSON"] },
  {
    name: "returns a cycle",
    run: "() => { const a = {}; a.a = a; return a; }",
    ends: ["permanent/ERR_OUTPUT_NOT_IJSON"],
  },
  {
    name: "returns a proxy that throws",
    run: "() => new Proxy({}, { ownKeys() { throw new Error('no') } })",
    ends: ["permanent/STEP_FAILED"],
  },
  { name: "throws null", run: "() => { throw null; }", ends: ["permanent/STEP_FAILED"] },
  { name: "throws null with Node around", run: "() => { throw null; }", over: host(), ends: ["permanent/STEP_FAILED"] },
  { name: "rejects with undefined", run: "() => Promise.reject()", ends: ["permanent/STEP_FAILED"] },
  {
    name: "throws an object whose getters throw",
    run: "() => { throw { get message() { throw 1 }, get name() { throw 2 }, get code() { throw 3 }, get transient() { throw 4 } }; }",
    ends: ["permanent/STEP_FAILED"],
  },
  {
    name: "throws a proxy",
    run: "() => { throw new Proxy({}, { get() { throw new Error('no') }, getPrototypeOf() { throw 1 } }); }",
    ends: ["permanent/STEP_FAILED"],
  },
  {
    name: "claims a code that is not its own",
    run: "() => { throw Object.assign(new Error('x'), { code: 'WORKER_FENCED' }); }",
    ends: ["permanent/STEP_FAILED"],
  },
  {
    name: "forgets a rejection",
    run: "() => { Promise.reject(new Error('late')); return new Promise(() => {}); }",
    ends: ["permanent/STEP_FAILED"],
  },
  {
    name: "throws in a timer",
    run: "() => { setTimeout(() => { throw new Error('late') }, 1); return new Promise(() => {}); }",
    ends: ["permanent/STEP_FAILED"],
  },
  {
    name: "throws in a timer of Node",
    run: "() => { setTimeout(() => { throw new Error('late') }, 1); return new Promise(() => {}); }",
    over: host(),
    ends: ["permanent/STEP_FAILED"],
  },
  { name: "has no run", run: "undefined", ends: ["permanent/STEP_FAILED"] },
  { name: "is no script", run: "", over: { text: "var plugin = {{{" }, ends: ["permanent/STEP_FAILED"] },
  { name: "defines no plugin", run: "", over: { text: "1" }, ends: ["permanent/STEP_FAILED"] },
];

/** Frames on fd 3, written past the host's own main thread. */
const onPipe = (frames: string): string =>
  `async () => { const fs = require('fs'); const send = (text) => { let at = 0; const bytes = Buffer.from(text);
     while (at < bytes.length) { try { at += fs.writeSync(3, bytes, at); } catch (e) { if (e.code !== 'EAGAIN') throw e; } } };
     ${frames}; await new Promise((r) => setTimeout(r, 3000)); return { survived: true }; }`;

const forged = (frame: Record<string, unknown>): string =>
  onPipe(`send(${JSON.stringify(`${JSON.stringify(frame)}\n`)})`);
const id = "0".repeat(32);

export const pipeAttacks: readonly Attack[] = [
  { name: "writes junk on fd 3", run: onPipe("send('junk\\n')") },
  { name: "writes a frame of no kind", run: forged({ t: "grant", id }) },
  { name: "writes a frame with a member too many", run: forged({ t: "ready", node: "v1.2.3", root: true }) },
  { name: "says ready again", run: forged({ t: "ready", node: "v1.2.3" }) },
  { name: "says bound again", run: forged({ t: "bound", id }) },
  { name: "forges the output of another id", run: forged({ t: "output", id, text: "{}", clean: true }) },
  {
    name: "forges a failure of another id",
    run: forged({ t: "failed", id, code: "STEP_FAILED", transient: true, message: "", clean: true }),
  },
  { name: "sends a chunk nobody asked for", run: forged({ t: "chunk", id, stream: "c1", n: 0, data: "", last: true }) },
  { name: "sends __proto__", run: onPipe(`send('{"__proto__":{"t":"ready"},"node":"v1.2.3"}\\n')`) },
  { name: "sends a text instead of a frame", run: onPipe(`send('"ready"\\n')`) },
  { name: "sends depth", run: onPipe("send('['.repeat(500000) + '\\n')") },
  { name: "sends a line without an end", run: onPipe("for (let i = 0; i < 64; i++) send('x'.repeat(1 << 20))") },
  { name: "sends bytes that are no UTF-8", run: onPipe("fs.writeSync(3, Buffer.from([0xff, 0xfe, 0x00, 0x0a]))") },
].map((attack) => ({ ...attack, over: host("fs"), ends: ["poison/SANDBOX_PROTOCOL"] }));

/** Only the kernel's wall stops these: level confined. */
export const wallAttacks: readonly Attack[] = [
  ...[
    ["reads /etc/passwd", "fs.readFileSync('/etc/passwd')"],
    ["reads a file by traversal", "fs.readFileSync('/tmp/../etc/passwd')"],
    ["reads through a link", "(fs.symlinkSync('/etc/passwd', '/tmp/l'), fs.readFileSync('/tmp/l'))"],
    ["reads its environment in /proc", "fs.readFileSync('/proc/self/environ')"],
    ["reads memory in /proc", "fs.openSync('/proc/self/mem', 'r+')"],
    ["reads other processes", "fs.readdirSync('/proc')"],
    ["lists the root", "fs.readdirSync('/')"],
    ["writes its own code", "fs.appendFileSync('/app/host/step.cjs', 'x')"],
    ["writes into the root", "fs.writeFileSync('/x', 'x')"],
    ["opens a device", "fs.openSync('/dev/kmsg', 'r')"],
  ].map(([name, call]) => ({ name: name!, ...caught("fs", `const fs = require('fs'); ${call!}`) })),
  ...[
    ["starts a process", "c.execFileSync('/bin/true')"],
    ["starts a shell", "c.execSync('true')"],
    ["starts node again", "c.execFileSync(process.execPath, ['-e', '0'])"],
    ["forks", "c.fork('/app/host/host.cjs')"],
  ].map(([name, call]) => ({
    name: name!,
    ...caught("child_process", `const c = require('child_process'); ${call!}`),
  })),
  {
    name: "opens a TCP socket",
    run: `() => new Promise((resolve) => { const s = require('net').connect(80, '127.0.0.1', () => resolve({ open: true }));
      s.once('error', (e) => resolve({ code: e.code })); })`,
    over: host("net"),
    ends: [{ code: "EACCES" }],
  },
  {
    name: "asks the metadata service",
    run: "() => fetch('http://169.254.169.254/').then(() => ({ open: true }), (e) => ({ code: e.cause?.code ?? e.code }))",
    over: host(),
    ends: [{ code: "EACCES" }],
  },
  {
    name: "resolves a name",
    run: "() => new Promise((resolve) => require('dns').lookup('example.com', (e) => resolve({ code: e?.code })))",
    over: host("dns"),
    ends: [{ code: "EAI_AGAIN" }, { code: "EAI_FAIL" }],
  },
  {
    name: "sends a datagram",
    run: `() => new Promise((resolve) => { try { const s = require('dgram').createSocket('udp4'); s.once('error', (e) => resolve({ code: e.code }));
      s.send('x', 53, '127.0.0.1', (e) => resolve({ code: e?.code ?? 'sent' })); } catch (e) { resolve({ code: e.code }); } })`,
    over: host("dgram"),
    ends: [{ code: "EACCES" }],
  },
  {
    name: "listens",
    run: `() => new Promise((resolve) => { const s = require('net').createServer(); s.once('error', (e) => resolve({ code: e.code }));
      s.listen(0, () => resolve({ open: true })); })`,
    over: host("net"),
    ends: [{ code: "EACCES" }],
  },
  {
    name: "looks for fds of the daemon",
    run: `() => { const fs = require('fs'); const open = []; for (let fd = 4; fd < 256; fd++) { try { const s = fs.fstatSync(fd);
      if (s.isFile() || s.isDirectory()) open.push(fd); } catch {} } return { open }; }`,
    over: host("fs"),
    ends: [{ open: [] }],
  },
  {
    name: "kills every process it can",
    run: "() => { for (const pid of [process.ppid, -1]) { try { if (pid !== 0) process.kill(pid, 'SIGKILL'); } catch {} } return { alive: true }; }",
    over: host(),
    ends: [{ alive: true }, "lost/SANDBOX_LOST"],
  },
  {
    name: "kills its own host",
    run: "() => { process.kill(process.pid, 'SIGKILL'); process.kill(process.pid, 'SIGSEGV'); return { alive: true }; }",
    over: host(),
    ends: [{ alive: true }, "lost/SANDBOX_LOST"],
  },
  {
    name: "loads a native addon",
    ...caught("fs", "process.dlopen({ exports: {} }, '/lib/x86_64-linux-gnu/libc.so.6')"),
  },
  { name: "asks for internal bindings", ...caught("fs", "process.binding('spawn_sync')") },
  {
    name: "starts threads without end",
    run: `() => { const { Worker } = require('worker_threads'); const all = []; let failed = 0;
      return new Promise((resolve) => { for (let i = 0; i < 400; i++) { try { const w = new Worker('setInterval(() => {}, 1000)', { eval: true });
        w.on('error', () => { failed++; }); all.push(w); } catch { failed++; } } setTimeout(() => resolve({ stopped: failed > 0 }), 2000); }); }`,
    over: { ...host("worker_threads"), limits: { timeoutMs: 20_000, cpuTimeMs: 60_000 } },
    ends: [
      { stopped: true },
      "resource/STEP_OUT_OF_MEMORY",
      "lost/SANDBOX_LOST",
      "permanent/STEP_FAILED",
      "timeout/STEP_TIMEOUT",
    ],
  },
  {
    name: "leaves its jail by a nested worker",
    run: `() => new Promise((resolve) => { const { Worker } = require('worker_threads');
      const w = new Worker("const fs = require('fs'); const p = require('worker_threads').parentPort; const r = []; for (const f of ['/etc/passwd', '/proc/self/environ', '/root']) { try { fs.accessSync(f); r.push(f); } catch {} } p.postMessage(r)", { eval: true, execArgv: [] });
      w.once('message', (found) => resolve({ found })); w.once('error', (e) => resolve({ found: [] })); })`,
    over: host("worker_threads"),
    // Its own thread may find no room any more.
    ends: [{ found: [] }, "resource/STEP_OUT_OF_MEMORY"],
  },
  {
    name: "runs code in the host's main thread",
    run: `() => { const { Session } = require('inspector'); const s = new Session(); try { s.connectToMainThread(); } catch (e) { return { denied: true }; }
      return new Promise((resolve) => s.post('Runtime.evaluate', { expression: "process.mainModule.require('fs').readFileSync('/etc/passwd','utf8').length" },
        (e, r) => resolve({ denied: e !== null || r.exceptionDetails !== undefined }))); }`,
    over: host("inspector"),
    ends: [{ denied: true }, "permanent/STEP_FAILED"],
  },
];

function caught(builtin: string, call: string): Omit<Attack, "name"> {
  return {
    run: `() => { try { ${call}; return { done: true }; } catch (e) { return { stopped: true }; } }`,
    over: host(builtin),
    ends: [{ stopped: true }],
  };
}

/** `() => string` each: what it finds of the host's realm must be nothing. */
const reach = (expression: string): string =>
  `async (input, ctx) => { let found; try { found = await (async () => (${expression}))(); } catch (e) { found = 'stopped'; }
    return { found: String(found) }; }`;
const closed = [{ found: "stopped" }, { found: "undefined" }];

export const realmAttacks: readonly Attack[] = [
  ["makes code with Function", "Function('return typeof process')()"],
  ["makes code with eval", "(0, eval)('typeof process')"],
  ["makes code with a generator's constructor", "(function* () {}).constructor('return 1')"],
  ["makes code with an async function's constructor", "(async () => {}).constructor('return process')()"],
  ["looks at process", "process.pid"],
  ["looks at require", "require('fs')"],
  ["climbs from ctx", "ctx.constructor.constructor('return process')()"],
  ["climbs from ctx.log", "ctx.log.constructor('return process')()"],
  ["climbs from a file's bytes", "(await ctx.files.read('data/a.json')).constructor.constructor('return process')()"],
  [
    "climbs from an error of ours",
    "ctx.files.read('nope').catch((e) => e.constructor.constructor('return process')())",
  ],
  ["climbs from the signal", "ctx.signal.constructor.constructor('return process')()"],
  ["climbs from fetch's refusal", "fetch('http://x/').catch((e) => e.constructor.constructor('return process')())"],
  ["climbs from globalThis", "globalThis.constructor.constructor('return process')()"],
  ["climbs from console", "console.log.constructor('return process')()"],
  ["climbs from a URL", "new URL('http://a/').constructor.constructor('return process')()"],
  [
    "climbs from a bad URL's error",
    "(() => { try { new URL('x') } catch (e) { return e.constructor.constructor('return process')() } })()",
  ],
  ["finds shared memory", "new SharedArrayBuffer(8)"],
  ["finds WebAssembly", "WebAssembly.Module"],
  ["finds Atomics", "Atomics.wait"],
  [
    "reads the host's frames in a stack",
    "(() => { Error.prepareStackTrace = (e, frames) => frames; const frames = new Error('x').stack; return Array.isArray(frames) ? frames.map((f) => f.getFunction?.() ?? f.getThis?.()).find(Boolean) : undefined; })()",
  ],
  [
    "puts its own Error in place to read frames",
    "(() => { globalThis.Error = { prepareStackTrace: (e, frames) => frames }; try { null.x } catch (e) { return Array.isArray(e.stack) ? e.stack.constructor.constructor('return process')() : undefined } })()",
  ],
  [
    "overflows the stack inside a call of the host",
    `(() => { let leaked; const deep = () => { try { deep() } catch (e) { try { new TextEncoder().encode('x') } catch (x) {
       if (x.constructor.constructor !== Function) leaked = x.constructor.constructor } } }; deep(); return leaked })()`,
  ],
  [
    "overflows the stack inside the log",
    `(() => { let leaked; const deep = () => { try { deep() } catch (e) { try { ctx.log('info', 'x') } catch (x) {
       if (x.constructor.constructor !== Function) leaked = x.constructor.constructor } } }; deep(); return leaked })()`,
  ],
  [
    "takes the host's bytes at their copying",
    `(async () => { let leaked; const typed = Object.getPrototypeOf(Uint8Array.prototype);
       for (const name of ['set', 'subarray', 'slice']) typed[name] = function (x) { if (typeof x === 'object' && !(x instanceof Uint8Array)) leaked = x; };
       crypto.getRandomValues(new Uint8Array(8)); await ctx.files.read('data/a.json').catch(() => {}); new TextEncoder().encode('x'); return leaked })()`,
  ],
  [
    "gives the host its own bytes class",
    `(async () => { let leaked; globalThis.Uint8Array = class { constructor() { return { set(x) { leaked = x } } } };
       await ctx.files.read('data/a.json').catch(() => {}); return leaked })()`,
  ],
  [
    "is handed host objects by an inspection",
    `(async () => { let leaked; const evil = new Error('x'); evil[Symbol.for('nodejs.util.inspect.custom')] = (a, b, c) => { leaked = b ?? c };
       console.log(evil); ctx.log('info', 'x', { evil }); return leaked })()`,
  ],
  ["runs after its step by the garbage collector", "new FinalizationRegistry(() => {})"],
  [
    "reads its caller",
    "(function f() { for (let c = f.caller; c; c = c.caller) if (!(c instanceof Function)) return 'leaked' })()",
  ],
  [
    "reads its caller's arguments",
    "(function () { for (let c = arguments.callee.caller; c; c = c.caller) if (!(c instanceof Function)) return 'leaked' })()",
  ],
].map(([name, expression]) => ({ name: name!, run: reach(expression!), ends: closed }));

export const importAttacks: readonly Attack[] = [
  "import('node:fs')",
  "import/**/('node:fs')",
  "import//x\n('node:fs')",
  "import<!--x\n('node:fs')",
  "[...import('node:fs')]",
  "import\u2028('node:fs')",
].map((expression) => ({
  name: `imports by ${JSON.stringify(expression)}`,
  run: `async () => ({ a: typeof (await ${expression}) })`,
  ends: ["policy/SANDBOX_DENIED"],
}));
