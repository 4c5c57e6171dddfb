import { createHash } from "node:crypto";
import { join } from "node:path";
import type { BindFrame, ChunkFrame, DownFrame, HostConfig } from "../control-frame.ts";
import { BoundHost } from "./bound-host.ts";
import { ControlPipe, die } from "./control-pipe.ts";
import { FrameStream } from "./frame-stream.ts";
import { openStepPool } from "./step-pool.ts";

const config = JSON.parse(process.argv[2] ?? "{}") as HostConfig;
// The zone is read once: before any thread exists, and the same on every machine.
new Date(0).getHours();

let binding: { readonly frame: BindFrame; readonly bytes: FrameStream } | null = null;
let host: BoundHost | null = null;

const pipe = new ControlPipe((frame) => {
  try {
    take(frame);
  } catch {
    die();
  }
});
pipe.send({ t: "ready", node: process.version });

function take(frame: DownFrame): void {
  if (frame.t === "bind") {
    if (binding !== null) die();
    binding = { frame, bytes: new FrameStream() };
  } else if (frame.t === "chunk" && frame.stream === "plugin") takePlugin(frame);
  else if (host === null) die();
  else if (frame.t === "step") host.step(frame);
  else if (frame.t === "chunk") host.chunk(frame);
  else if (frame.t === "more") host.more(frame);
  else host.answer(frame);
}

/** Bound once, for good: there is no second binding in a host's life. */
function takePlugin(chunk: ChunkFrame): void {
  if (binding === null || host !== null) {
    die();
    return;
  }
  if (!binding.bytes.add(chunk)) return;
  const { frame } = binding;
  const bytes = binding.bytes.bytes();
  if (createHash("sha256").update(bytes).digest("hex") !== frame.plugin.sha256) {
    const message = "the plugin's bytes are not those of its hash";
    pipe.send({ t: "failed", id: frame.id, code: "SANDBOX_PROTOCOL", transient: false, message, clean: false });
    return;
  }
  const { name, isolation, nondeterministic, builtins } = frame.plugin;
  const thread = {
    name,
    text: bytes.toString("utf8"),
    isolation,
    nondeterministic,
    builtins,
    brokerSocket: config.brokerSocket,
    facadePath: join(config.appDir, "facade.js"),
    egressPath: join(config.appDir, "egress.cjs"),
  };
  host = new BoundHost(openStepPool(config.appDir, thread, frame.heapMb), config.scratchDir, (up) => pipe.send(up));
  pipe.send({ t: "bound", id: frame.id });
}
