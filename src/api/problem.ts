import type { FastifyError } from "fastify";
import { type CodeName, codes, Fault, faultOf } from "../base/index.ts";
import type { Redact } from "../telemetry/index.ts";

/** RFC 9457. `code` is the name of the message table. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: CodeName;
  readonly detail: string;
  readonly instance: string;
  readonly errors?: readonly { readonly pointer: string; readonly message: string }[];
}

const frameworkCodes: Readonly<Record<string, CodeName>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "BODY_TOO_LARGE",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "MEDIA_TYPE",
  FST_ERR_CTP_INVALID_JSON_BODY: "BAD_REQUEST",
  FST_ERR_CTP_EMPTY_JSON_BODY: "BAD_REQUEST",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "BAD_REQUEST",
  FST_ERR_VALIDATION: "BAD_REQUEST",
};

/** The problem document of whatever a route threw; an unknown error shows nothing of itself. */
export function problemOf(error: FastifyError, instance: string, redact: Redact): Problem {
  const fault = toFault(error);
  const row = codes[fault.code];
  const errors = error.validation?.map(({ instancePath, message }) => ({
    pointer: instancePath,
    message: redact(message ?? "does not fit"),
  }));
  return {
    type: `urn:orrery:problem:${fault.code}`,
    title: row.title,
    status: row.http,
    code: fault.code,
    detail: redact(fault.message),
    instance: redact(instance),
    ...(errors === undefined ? {} : { errors }),
  };
}

function toFault(error: FastifyError): Fault {
  if (error instanceof Fault) return error;
  const code = frameworkCodes[error.code];
  if (code !== undefined) return new Fault(code, error.message);
  if (typeof error.statusCode === "number" && error.statusCode >= 400 && error.statusCode < 500)
    return new Fault("BAD_REQUEST", error.message);
  return faultOf(error);
}
