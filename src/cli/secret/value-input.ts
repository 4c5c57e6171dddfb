import type { ReadStream } from "node:tty";
import { secretText } from "../../secret/index.ts";
import { type Terminal, usage } from "../terminal.ts";

/** More than a secret may have: what is longer is refused, not cut. */
const maxInputBytes = 64 * 1024;

/**
 * A secret's value from standard input, or typed unseen where that is a terminal; never from the arguments, which every
 * user of the machine can list. Fault USAGE names the rule that it breaks, never the value.
 */
export async function readSecretValue(input: NodeJS.ReadStream, terminal: Terminal): Promise<string> {
  const bytes = input.isTTY ? await typedUnseen(input, terminal) : await piped(input);
  const text = secretText(bytes);
  bytes.fill(0);
  if (!text.ok) throw usage(`the value cannot be a secret: ${text.why}`);
  return text.value;
}

async function piped(input: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of input) {
    const bytes = Buffer.from(part as Uint8Array);
    parts.push(bytes);
    length += bytes.length;
    if (length > maxInputBytes) throw usage("the value cannot be a secret: it is too long");
  }
  return Buffer.concat(parts);
}

const keys = { interrupt: 0x03, endOfInput: 0x04, backspace: 0x08, newline: 0x0a, enter: 0x0d, delete: 0x7f } as const;

const severalLines = "the value has several lines: put it into a file and pipe that (secret set TENANT/NAME < FILE)";

/** All bytes of the last character: half of one would be no UTF-8. */
function dropCharacter(typed: number[]): void {
  for (let byte = typed.pop(); byte !== undefined && (byte & 0xc0) === 0x80; ) byte = typed.pop();
}

function typedUnseen(input: ReadStream, terminal: Terminal): Promise<Buffer> {
  terminal.note("value (not shown), then Enter:");
  return new Promise((resolve, reject) => {
    const typed: number[] = [];
    const end = (settle: () => void): void => {
      input.off("data", onData);
      input.off("end", onEnd);
      input.setRawMode(false);
      input.pause();
      settle();
    };
    const onEnd = (): void => end(() => reject(usage("nothing was set")));
    const onData = (data: Buffer): void => {
      for (const [at, byte] of data.entries()) {
        if (byte === keys.interrupt) {
          end(() => reject(usage("nothing was set")));
          return;
        }
        if (byte === keys.enter || byte === keys.newline || byte === keys.endOfInput) {
          // A pasted key would be its first line, and the shell would read, run and remember the others.
          const isPasted = data.subarray(at + 1).some((next) => next !== keys.enter && next !== keys.newline);
          end(() => (isPasted ? reject(usage(severalLines)) : resolve(Buffer.from(typed))));
          return;
        }
        if (byte === keys.backspace || byte === keys.delete) dropCharacter(typed);
        else typed.push(byte);
      }
    };
    input.setRawMode(true);
    input.once("end", onEnd);
    input.on("data", onData);
    input.resume();
  });
}
