export { createRecorder, type Recorder } from "./recorder.ts";
export {
  anchorRef,
  auditRef,
  type RecorderDeps,
  type RecorderOptions,
  type RecorderState,
  recorderDefaults,
} from "./recorder-deps.ts";
