// The wire between a host and the daemon, as types alone: schemas/control-frame.schema.json is the contract, and both
// sides must agree with it. Nothing here is code, so that neither side loads the other.
import type { ArtifactReference, LogLevel } from "./sdk.ts";

/** The host's only argument, as JSON: where it finds itself. */
export interface HostConfig {
  readonly appDir: string;
  readonly scratchDir: string;
  /** Fixed at launch: without it the seccomp filter lets no socket be made. */
  readonly brokerSocket: string | null;
}

/** `c<n>` = the call with that number; the rest are the values too large for their own frame. */
export type StreamName = "plugin" | "with" | "files" | "code" | "secrets" | "output" | `c${number}`;

export interface ChunkFrame {
  readonly t: "chunk";
  readonly id: string;
  readonly stream: StreamName;
  /** Counts from 0. */
  readonly n: number;
  /** Base64 of at most 512 KiB. */
  readonly data: string;
  readonly last: boolean;
}

/** "Send the next chunk": one chunk of a call is in flight at a time, so that nobody buffers a file. */
export interface MoreFrame {
  readonly t: "more";
  readonly id: string;
  readonly call: number;
}

export interface BindFrame {
  readonly t: "bind";
  readonly id: string;
  readonly heapMb: number;
  readonly plugin: {
    readonly name: string;
    readonly version: string;
    readonly sha256: string;
    readonly bytes: number;
    readonly isolation: "realm" | "host";
    readonly nondeterministic: boolean;
    readonly builtins: readonly string[];
  };
}

/** What `ctx` and the deterministic globals are made from. */
export interface StepFacts {
  readonly tenant: string;
  readonly dagId: string;
  readonly runId: string;
  readonly stepId: string;
  readonly index: number;
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly traceparent: string;
  readonly now: string;
  readonly seed: string;
  readonly network: boolean;
}

export interface StepFrame {
  readonly t: "step";
  readonly id: string;
  readonly facts: StepFacts;
  readonly limits: { readonly timeoutMs: number; readonly outputBytes: number };
  /** null = it comes as stream `with`. */
  readonly withText: string | null;
  /** JSON of DeclaredFile[]; null = it comes as stream `files`. */
  readonly filesText: string | null;
  readonly code: { readonly text: string | null } | null;
  /** true: they come as stream `secrets`, JSON of {name: value}. Only to a host of isolation `host`. */
  readonly secrets: boolean;
}

export interface AnswerFrame {
  readonly t: "answer";
  readonly id: string;
  readonly call: number;
  readonly artifact: ArtifactReference | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** From the daemon to the host. */
export type DownFrame = BindFrame | StepFrame | ChunkFrame | MoreFrame | AnswerFrame;

export interface ReadyFrame {
  readonly t: "ready";
  readonly node: string;
}

export interface BoundFrame {
  readonly t: "bound";
  readonly id: string;
}

export interface LogFrame {
  readonly t: "log";
  readonly id: string;
  readonly level: LogLevel;
  readonly message: string;
  /** JSON text of an object. */
  readonly fields: string;
}

export interface ReadFrame {
  readonly t: "read";
  readonly id: string;
  readonly call: number;
  readonly kind: "file" | "artifact";
  readonly key: string;
}

export interface WriteFrame {
  readonly t: "write";
  readonly id: string;
  readonly call: number;
  readonly mediaType: string;
}

export interface OutputFrame {
  readonly t: "output";
  readonly id: string;
  /** null = it came as stream `output`. */
  readonly text: string | null;
  readonly clean: boolean;
}

export interface FailedFrame {
  readonly t: "failed";
  readonly id: string;
  readonly code: string;
  readonly transient: boolean;
  readonly message: string;
  /** The thread lives and scratch is empty: the host may take the next step. */
  readonly clean: boolean;
}

/** From the host to the daemon; every byte of it is hostile. */
export type UpFrame =
  | ReadyFrame
  | BoundFrame
  | LogFrame
  | ReadFrame
  | WriteFrame
  | MoreFrame
  | ChunkFrame
  | OutputFrame
  | FailedFrame;
