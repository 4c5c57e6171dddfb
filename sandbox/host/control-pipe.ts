import { Socket } from "node:net";
import type { DownFrame, UpFrame } from "../control-frame.ts";

const maxFrameBytes = 1024 * 1024;

/**
 * fd 3 from inside: one JSON frame a line. The daemon is trusted in what it says, so frames are not checked again; a
 * line over the cap or an end of the pipe ends this process.
 */
export class ControlPipe {
  readonly #socket = new Socket({ fd: 3, readable: true, writable: true });

  constructor(onFrame: (frame: DownFrame) => void) {
    let held: Buffer[] = [];
    let heldBytes = 0;
    this.#socket.on("data", (data: Buffer) => {
      let rest = data;
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        const line = Buffer.concat([...held, rest.subarray(0, end)]).toString("utf8");
        held = [];
        heldBytes = 0;
        rest = rest.subarray(end + 1);
        onFrame(JSON.parse(line) as DownFrame);
      }
      held.push(rest);
      heldBytes += rest.length;
      if (heldBytes > maxFrameBytes) die();
    });
    // The daemon is gone, even by kill -9: so are we.
    this.#socket.on("close", die);
    this.#socket.on("error", die);
  }

  send(frame: UpFrame): void {
    this.#socket.write(`${JSON.stringify(frame)}\n`);
  }
}

/** SIGKILL first: an exit waits for threads that are in native code. */
export function die(): void {
  process.kill(process.pid, "SIGKILL");
  // As pid 1 of a namespace our own signal does nothing; there the launcher's end kills us.
  process.exit(70);
}
