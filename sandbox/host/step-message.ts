import type { StepFacts } from "../control-frame.ts";
import type { ArtifactReference, DeclaredFile } from "../sdk.ts";

/** What the main thread gives the step's thread. */
export interface StepTask {
  readonly facts: StepFacts;
  readonly files: readonly DeclaredFile[];
  readonly withText: string;
  readonly code: string | null;
  /** By name in the plugin. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly outputBytes: number;
}

/** What the thread is made with, once. */
export interface ThreadPlugin {
  readonly name: string;
  readonly text: string;
  readonly isolation: "realm" | "host";
  readonly nondeterministic: boolean;
  readonly builtins: readonly string[];
  readonly brokerSocket: string | null;
  readonly facadePath: string;
  readonly egressPath: string;
}

/** A failure as plain strings; `code` is checked against the table by the daemon. */
export interface StepError {
  readonly code: string;
  readonly transient: boolean;
  readonly message: string;
}

/** From the step to the main thread. Bytes travel beside the message. */
export type StepUp =
  | { readonly t: "log"; readonly level: string; readonly message: string; readonly fields: string }
  | { readonly t: "read"; readonly call: number; readonly kind: "file" | "artifact"; readonly key: string }
  | { readonly t: "write"; readonly call: number; readonly mediaType: string }
  | { readonly t: "more"; readonly call: number }
  | { readonly t: "chunk"; readonly call: number; readonly last: boolean }
  | { readonly t: "end"; readonly text: string | null; readonly error: StepError | null };

/** From the main thread to the step. */
export type StepDown =
  | { readonly t: "chunk"; readonly call: number; readonly last: boolean }
  | { readonly t: "more"; readonly call: number }
  | {
      readonly t: "answer";
      readonly call: number;
      readonly artifact: ArtifactReference | null;
      readonly error: { readonly code: string; readonly message: string } | null;
    }
  | { readonly t: "abort" };

export interface StepEnvelope<T> {
  readonly message: T;
  readonly bytes: Uint8Array | null;
}
