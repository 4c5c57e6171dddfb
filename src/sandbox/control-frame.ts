export type {
  AnswerFrame,
  BindFrame,
  BoundFrame,
  ChunkFrame,
  DownFrame,
  FailedFrame,
  HostConfig,
  LogFrame,
  MoreFrame,
  OutputFrame,
  ReadFrame,
  ReadyFrame,
  StepFacts,
  StepFrame,
  StreamName,
  UpFrame,
  WriteFrame,
} from "../../sandbox/control-frame.ts";

/** Caps of the control pipe (fd 3), both ways; schemas/control-frame.schema.json has the same numbers. */
export const maxFrameBytes = 1024 * 1024;
export const maxInlineChars = 256 * 1024;
export const maxChunkBytes = 512 * 1024;
