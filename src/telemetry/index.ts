export { createLogger, type LogFields, type Logger, type LoggerOptions, type LogLevel } from "./logger.ts";
export { createMetrics, type Metrics, type RunOutcome } from "./metrics.ts";
export { createRedact, type Redact } from "./redaction.ts";
