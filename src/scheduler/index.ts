export type { CancelRequest, RunStarter, StartAnswer, StartRequest } from "./run-starter.ts";
