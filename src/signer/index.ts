export {
  type LastSigned,
  maxSignRequestBytes,
  type SignAnswer,
  type SignedFile,
  type SignedObject,
  type SignRequest,
} from "./sign-request.ts";
