import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError } from "./config-error.ts";
import { parseTracing } from "./tracing.ts";

const ON = { exporter: "otlp", ratio: 1, followsParent: true };

describe("traces", () => {
  for (const env of [
    {},
    { OTEL_TRACES_EXPORTER: "none", OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: "" },
    { OTEL_SERVICE_NAME: "registry", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
    { OTEL_TRACES_EXPORTER: "otlp", OTEL_SDK_DISABLED: "TRUE" },
  ]) {
    it(`are off with ${JSON.stringify(env)}`, () => assert.equal(parseTracing(env), undefined));
  }

  for (const [env, expected] of [
    [{ OTEL_TRACES_EXPORTER: "otlp" }, ON],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318" }, ON],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c:4318/v1/traces" }, ON],
    [
      { OTEL_TRACES_EXPORTER: "console", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
      { ...ON, exporter: "console" },
    ],
    [{ OTEL_TRACES_EXPORTER: "otlp", OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" }, ON],
    [
      { OTEL_TRACES_EXPORTER: "otlp", OTEL_TRACES_SAMPLER: "always_off" },
      { ...ON, ratio: 0, followsParent: false },
    ],
    [
      {
        OTEL_TRACES_EXPORTER: "otlp",
        OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
        OTEL_TRACES_SAMPLER_ARG: "0.25",
      },
      { ...ON, ratio: 0.25 },
    ],
  ] as const) {
    it(`are on with ${JSON.stringify(env)}`, () => assert.deepEqual(parseTracing(env), expected));
  }

  for (const [name, value, accepted] of [
    ["OTEL_TRACES_EXPORTER", "zipkin", /but must be otlp, console or none$/],
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", /but must be http\/protobuf/],
    ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", /but must be http\/protobuf/],
    ["OTEL_TRACES_SAMPLER", "jaeger_remote", /but must be always_on, always_off, traceidratio/],
  ] as const) {
    it(`are refused with ${name}=${value}`, () => {
      assert.throws(
        () => parseTracing({ OTEL_TRACES_EXPORTER: "otlp", [name]: value }),
        (error) => error instanceof ConfigError && error.message.startsWith(name) && accepted.test(error.message),
      );
    });
  }

  for (const ratio of ["2", "-0.1", "half"]) {
    it(`are refused with a ratio of ${ratio}`, () => {
      const env = {
        OTEL_TRACES_EXPORTER: "otlp",
        OTEL_TRACES_SAMPLER: "traceidratio",
        OTEL_TRACES_SAMPLER_ARG: ratio,
      };
      assert.throws(() => parseTracing(env), /OTEL_TRACES_SAMPLER_ARG: is ".+", but must be a number from 0 to 1/);
    });
  }
});
