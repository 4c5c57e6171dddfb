export { type Compute, type ComputeOptions, createCompute } from "./compute.ts";
export {
  type DecodedSpec,
  type HashedDocument,
  type InputAnswer,
  type InputRequest,
  type OutputAnswer,
  type OutputRequest,
} from "./tasks.ts";
