import type { StepCompute } from "../worker-deps.ts";
import { type LastingCallDeps, lastingCall } from "./lasting-call.ts";

/** compute/, asked again where a thread of it failed: that says nothing about what was asked. */
export function lastingCompute(deps: LastingCallDeps & { readonly compute: StepCompute }): StepCompute {
  const { compute } = deps;
  return {
    evaluate: (request, signal) => lastingCall(deps, "evaluate", () => compute.evaluate(request, signal), signal),
    checkInput: (request, signal) => lastingCall(deps, "checkInput", () => compute.checkInput(request, signal), signal),
    checkOutput: (request, signal) =>
      lastingCall(deps, "checkOutput", () => compute.checkOutput(request, signal), signal),
  };
}
