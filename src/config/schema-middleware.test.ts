import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { examine } from "./examined.ts";
import { toLine } from "./finding.ts";
import { parseConfig } from "./load.ts";
import type { Middleware, MiddlewareLists } from "./middleware-config.ts";

type Env = Record<string, string>;

function text(middleware: string): string {
  return `version: 0.1\nstorage: inmemory\nmiddleware: ${middleware}\n`;
}

function listsOf(middleware: string, env: Env = {}): MiddlewareLists {
  const { config, warnings } = parseConfig(text(middleware), "f", env);
  assert.deepEqual(warnings, []);
  return config.middleware;
}

function lines(middleware: string): string[] {
  return examine(text(middleware), "f", {}).findings.map(toLine);
}

function optionsOf(name: string, options: string): Middleware["options"] | undefined {
  return parseConfig(text(`{storage: [{name: ${name}, options: {${options}}}]}`), "f", {}).config.middleware.storage[0]
    ?.options;
}

function refusals(name: string, options: string): string[] {
  return lines(`{storage: [{name: ${name}, options: {${options}}}]}`);
}

const OWN = "the specifier of a module, such as ./middleware/audit.js";

describe("a list of middleware", () => {
  it("is empty by default", () => {
    assert.deepEqual(listsOf(""), { registry: [], repository: [], storage: [] });
  });

  it("has modules of the operator's own with their options as YAML has them", () => {
    const options = "{a: on, b: 010, c: [1.5, {E: f}], g: }";
    for (const kind of ["registry", "repository", "storage"] as const) {
      for (const name of ["./a.js", "@example/a", "example/a.js", "file:///a.js"]) {
        assert.deepEqual(listsOf(`{${kind}: [{name: "${name}", options: ${options}}]}`)[kind], [
          { name, disabled: false, options: { a: true, b: 8, c: [1.5, { E: "f" }] } },
        ]);
      }
    }
  });

  it("has its order, and options from variables", () => {
    const { storage } = listsOf("{storage: [{name: ./a.js}, {name: ./b.js}]}", {
      REGISTRY_MIDDLEWARE_STORAGE_1_OPTIONS_SPEED: "5",
      REGISTRY_MIDDLEWARE_STORAGE_2_NAME: "rewrite",
    });
    assert.deepEqual(
      storage.map(({ name, options }) => [name, options["speed"]]),
      [
        ["./a.js", undefined],
        ["./b.js", 5],
        ["rewrite", undefined],
      ],
    );
  });

  it("refuses what is nobody's name, with those that there are", () => {
    assert.deepEqual(lines("\n  storage:\n    - name: cloudfornt\n    - name: 'constructor'\n"), [
      `f:5: middleware.storage[0].name is "cloudfornt", but must be cloudfront, redirect, rewrite or ${OWN}`,
      `f:6: middleware.storage[1].name is "constructor", but must be cloudfront, redirect, rewrite or ${OWN}`,
    ]);
    for (const kind of ["registry", "repository"]) {
      assert.deepEqual(lines(`{${kind}: [{name: redirect}]}`), [
        `f:3: middleware.${kind}[0].name is "redirect", but must be ${OWN}`,
      ]);
    }
    assert.match(
      lines("{storage: [{options: {}}]}").join(),
      /^f:3: middleware.storage\[0\].name is missing, but must be /,
    );
    assert.match(lines("{storage: redirect}").join(), /middleware.storage is "redirect", but must be a list$/);
    assert.match(lines("{storage: [{name: ./a.js, options: 5}]}").join(), /options is "5", but must be a map$/);
  });

  it("does not look at what is disabled, and leaves it out", () => {
    const disabled =
      "{storage: [{name: cloudfront, disabled: true, options: {baseurl: 5, durtion: 5}}, {name: x, disabled: yes}]}";
    assert.deepEqual(listsOf(disabled).storage, []);
    assert.equal(listsOf("{storage: [{name: rewrite, disabled: no}]}").storage.length, 1);
    assert.match(
      lines("{storage: [{name: rewrite, disabled: 5}]}").join(),
      /disabled is "5", but must be true or false$/,
    );
  });
});

describe("the middleware redirect", () => {
  it("has a base URL", () => {
    for (const url of ["https://blobs.example.com", "HTTP://a:5000/mirror/"]) {
      assert.deepEqual(optionsOf("redirect", `baseurl: "${url}"`), { baseurl: new URL(url) });
    }
  });

  it("refuses to start without one", () => {
    const must = "but must be a URL with scheme and host, such as https://blobs.example.com";
    const key = "f:3: middleware.storage[0].options.baseurl is";
    assert.deepEqual(refusals("redirect", ""), [`${key} missing, ${must}`]);
    for (const wrong of ["blobs.example.com", "//a", "https:a", "https://", "ftp://a", "5"]) {
      assert.deepEqual(refusals("redirect", `baseurl: "${wrong}"`), [`${key} "${wrong}", ${must}`]);
    }
    for (const secret of ["nope://u:S@h", "u:S@h", "https:/u:S@h", "ftp://h/?k=S"]) {
      assert.deepEqual(refusals("redirect", `baseurl: "${secret}"`), [`${key} something else (not shown), ${must}`]);
    }
    assert.deepEqual(refusals("redirect", "baseurl: [a]"), [`${key} a list, ${must}`]);
  });
});

describe("the middleware rewrite", () => {
  it("changes nothing by default, and what is empty neither", () => {
    const nothing = { scheme: undefined, host: undefined, trimpathprefix: undefined };
    assert.deepEqual({ ...nothing, ...optionsOf("rewrite", "") }, nothing);
    assert.deepEqual({ ...nothing, ...optionsOf("rewrite", "scheme: '', host: '', trimpathprefix: ''") }, nothing);
  });

  it("has a scheme, a host and a prefix to take off", () => {
    assert.deepEqual(optionsOf("rewrite", "scheme: HTTPS, host: 'Cdn.test:8443', trimpathprefix: /bucket"), {
      ...{ scheme: "https", host: "Cdn.test:8443", trimpathprefix: "/bucket" },
    });
    for (const host of ["[::1]", "cdn.test:80"]) {
      assert.deepEqual(optionsOf("rewrite", `host: '${host}'`)?.["host"], host);
    }
  });

  it("refuses others", () => {
    const key = "f:3: middleware.storage[0].options";
    assert.deepEqual(refusals("rewrite", "scheme: ftp"), [`${key}.scheme is "ftp", but must be one of http, https`]);
    for (const wrong of ["a/b", "https://a", "a b", "u@a", "a?b"]) {
      assert.deepEqual(refusals("rewrite", `host: "${wrong}"`), [
        `${key}.host is "${wrong}", but must be a host, with a port or without, such as cdn.example.com`,
      ]);
    }
    assert.deepEqual(refusals("rewrite", "trimpathprefix: {}"), [`${key}.trimpathprefix is a map, but must be text`]);
  });
});

describe("the middleware cloudfront", () => {
  const LEAST = "baseurl: cdn.test, privatekey: /key.pem, keypairid: 0123";
  const key = "middleware.storage[0].options";

  it("has the peers' defaults", () => {
    assert.deepEqual(optionsOf("cloudfront", LEAST), {
      ...{ baseurl: new URL("https://cdn.test/"), privatekey: "/key.pem", keypairid: "0123" },
      ...{ duration: 1_200_000, ipfilteredby: "none", iprangesurl: undefined, updatefrequency: undefined },
    });
  });

  it("has all of its options", () => {
    const all = `${LEAST}, duration: 30m, ipfilteredby: ' AWSRegion ', awsregion: 'us-east-1, eu-west-1', updatefrequency: 6h,
      iprangesurl: 'http://mirror.test/ranges.json'`;
    assert.deepEqual(optionsOf("cloudfront", all), {
      ...{ baseurl: new URL("https://cdn.test/"), privatekey: "/key.pem", keypairid: "0123" },
      ...{ duration: 1_800_000, ipfilteredby: "awsregion", awsregion: ["us-east-1", "eu-west-1"] },
      ...{ updatefrequency: 6 * 3_600_000, iprangesurl: new URL("http://mirror.test/ranges.json") },
    });
    assert.equal(optionsOf("cloudfront", `${LEAST}, ipfilteredby: ''`)?.["ipfilteredby"], "none");
    assert.deepEqual(
      optionsOf("cloudfront", LEAST.replace("cdn.test", "'http://cdn.test/a'"))?.["baseurl"],
      new URL("http://cdn.test/a"),
    );
  });

  it("refuses to start without those that are needed, and does not show those that are secret", () => {
    assert.deepEqual(refusals("cloudfront", ""), [
      `f:3: ${key}.baseurl is missing, but must be the URL of a distribution, such as https://d111111abcdef8.cloudfront.net`,
      `f:3: ${key}.privatekey is missing, but must be the path of an RSA private key in PEM`,
      `f:3: ${key}.keypairid is missing, but must be the id under which CloudFront knows the key`,
    ]);
    assert.deepEqual(refusals("cloudfront", LEAST.replace("/key.pem", "''")), [
      `f:3: ${key}.privatekey is something else (not shown), but must be the path of an RSA private key in PEM`,
    ]);
  });

  const REGIONS = "a comma separated list of AWS regions, such as us-east-1,eu-west-1";
  const wrong: readonly (readonly [options: string, sentence: string])[] = [
    ["duration: 1d", 'duration is "1d", but must be a duration above 0, such as 20m'],
    ["duration: 0s", 'duration is "0s", but must be a duration above 0, such as 20m'],
    ["updatefrequency: -1h", 'updatefrequency is "-1h", but must be a duration above 0, such as 20m'],
    ["ipfilteredby: gcp", 'ipfilteredby is "gcp", but must be one of none, aws, awsregion'],
    ["ipfilteredby: [aws]", "ipfilteredby is a list, but must be one of none, aws, awsregion"],
    ["ipfilteredby: awsregion", `awsregion is missing, but must be ${REGIONS}`],
    ["ipfilteredby: awsregion, awsregion: ''", `awsregion is "", but must be ${REGIONS}`],
    ["awsregion: [us-east-1]", `awsregion is a list, but must be ${REGIONS}`],
    ["awsregion: 'us-east-1,,'", `awsregion is "us-east-1,,", but must be ${REGIONS}`],
    [
      "iprangesurl: /ranges.json",
      `iprangesurl is "/ranges.json", but must be the URL of a list of addresses in Amazon's format`,
    ],
  ];
  for (const [options, sentence] of wrong) {
    it(`refuses ${options}`, () => {
      assert.deepEqual(refusals("cloudfront", `${LEAST}, ${options}`), [`f:3: ${key}.${sentence}`]);
    });
  }

  it("takes the misspelt name of an option, with a warning; the right one wins", () => {
    const warning = "f:3: middleware.storage.options.updatefrenquency is deprecated, use updatefrequency";
    assert.deepEqual(refusals("cloudfront", `${LEAST}, updatefrenquency: 1h`), [warning]);
    assert.equal(optionsOf("cloudfront", `${LEAST}, updatefrenquency: 1h`)?.["updatefrequency"], 3_600_000);
    const both = `${LEAST}, updatefrenquency: 1h, updatefrequency: 2h`;
    assert.equal(optionsOf("cloudfront", both)?.["updatefrequency"], 7_200_000);
  });

  it("passes over a time that is no text, as the peers do, with a warning", () => {
    assert.deepEqual(refusals("cloudfront", `${LEAST}, duration: 3600`), [
      "f:3: middleware.storage.options.duration is no text such as 20m, and is ignored, as by the peers",
    ]);
    assert.equal(optionsOf("cloudfront", `${LEAST}, duration: 3600`)?.["duration"], 1_200_000);
    assert.equal(optionsOf("cloudfront", `${LEAST}, updatefrequency: 3600`)?.["updatefrequency"], 12 * 3_600_000);
  });

  it("warns of options that it does not have", () => {
    assert.deepEqual(refusals("cloudfront", `${LEAST}, durtion: 1h, "my secret": a`), [
      "f:3: unknown key middleware.storage.options.durtion is ignored, did you mean duration?",
      "f:3: unknown key middleware.storage.options.(name not shown) is ignored",
    ]);
  });
});
