/**
 * Whether traces are wanted, by OpenTelemetry's own variables. Those that only say where and how to send them
 * (`OTEL_EXPORTER_OTLP_*`) and whose they are (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`) its libraries read themselves.
 *
 * @see ops, section 5
 */
import { ConfigError } from "./config-error.ts";
import type { Environment } from "./environment.ts";

export interface TracingConfig {
  readonly exporter: "otlp" | "console";
  /** Of the traces that begin here, from 0 to 1. */
  readonly ratio: number;
  /** Whether a trace that began elsewhere is kept where it was kept there. */
  readonly followsParent: boolean;
}

/**
 * @returns undefined where no variable asks for traces
 * @throws {ConfigError}
 */
export function parseTracing(env: Environment): TracingConfig | undefined {
  const exporter = exporterOf(env);
  if (exporter === undefined) return undefined;
  if (exporter === "otlp") checkProtocol(env);
  return { exporter, ...samplerOf(env) };
}

function exporterOf(env: Environment): TracingConfig["exporter"] | undefined {
  if (env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true") return undefined;
  const name = env["OTEL_TRACES_EXPORTER"];
  if (name === "otlp" || name === "console") return name;
  if (name === "none") return undefined;
  if (name) throw notAccepted("OTEL_TRACES_EXPORTER", name, "otlp, console or none");
  const endpoint = env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] || env["OTEL_EXPORTER_OTLP_ENDPOINT"];
  return endpoint ? "otlp" : undefined;
}

function checkProtocol(env: Environment): void {
  for (const variable of ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"]) {
    const protocol = env[variable];
    if (protocol === "http/protobuf") return;
    if (protocol) throw notAccepted(variable, protocol, "http/protobuf, which collectors take at port 4318");
  }
}

function samplerOf(env: Environment): Pick<TracingConfig, "ratio" | "followsParent"> {
  const name = env["OTEL_TRACES_SAMPLER"] || "parentbased_always_on";
  const [, parent, kind] = /^(parentbased_)?(always_on|always_off|traceidratio)$/.exec(name) ?? [];
  if (kind === undefined) {
    const accepted = "always_on, always_off, traceidratio, each also after parentbased_";
    throw notAccepted("OTEL_TRACES_SAMPLER", name, accepted);
  }
  return {
    ratio: kind === "traceidratio" ? ratioOf(env) : Number(kind === "always_on"),
    followsParent: parent !== undefined,
  };
}

function ratioOf(env: Environment): number {
  const text = env["OTEL_TRACES_SAMPLER_ARG"] || "1";
  const ratio = Number(text);
  if (ratio >= 0 && ratio <= 1) return ratio;
  throw notAccepted("OTEL_TRACES_SAMPLER_ARG", text, "a number from 0 to 1");
}

function notAccepted(variable: string, value: string, accepted: string): ConfigError {
  return new ConfigError(variable, `is ${JSON.stringify(value.slice(0, 60))}, but must be ${accepted}`);
}
