/** Huge parameters: whatever their size, the work and the memory for them are bounded. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseForwarded } from "../../src/http/forwarded-header.ts";
import { checkedHost } from "../../src/http/forwarding.ts";
import { maskedUrl } from "../../src/http/masked-url.ts";
import { parseRange } from "../../src/http/ranges.ts";
import { parseTarget } from "../../src/http/target.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { startApi } from "../support/api.ts";
import { errorsOf, json, pushBlob, pushImage, putManifest, unchanged } from "../support/api-content.ts";
import { countingDriver } from "../support/counting-driver.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const HUGE = ["2147483648", "4294967296", "9007199254740993", "18446744073709551616", "9".repeat(4000)];
const NO_NUMBERS = ["-1", "-2147483648", "1e9", "0x7fffffff", "+5", "1.5", "Infinity", "NaN", "%00", "5%20", "%d9%a3"];

describe("huge parameters", () => {
  for (const [list, path] of [
    ["the catalogue", "/v2/_catalog"],
    ["tags", "/v2/a/tags/list"],
    ["referrers", `/v2/a/referrers/${DIGEST}`],
  ] as const) {
    test(`CVE-2023-2253: an n beyond all limits gets no more of ${list} than a page, and costs no memory`, async () => {
      await using api = await startApi(new MemoryDriver(), { maxEntries: 2, maxTags: 2 });
      for (const tag of ["r", "s", "t"]) await pushImage(api, "a", { reference: tag });
      for (const name of ["b", "c"]) await pushBlob(api, name, Buffer.from("x"));
      for (const n of HUGE) {
        const before = process.memoryUsage().rss;
        const answer = await api.send("GET", `${path}?n=${n}`);
        assert.ok([200, 400].includes(answer.status), `${n}: ${answer.status}`);
        if (answer.status === 200) {
          const [entries = []] = Object.values(json(answer) as object).filter((value) => Array.isArray(value));
          assert.ok(entries.length <= 2, `${entries.length} entries`);
        }
        assert.ok(process.memoryUsage().rss - before < 256 * 1024 * 1024, n);
      }
      for (const n of NO_NUMBERS) {
        const [error] = errorsOf(await api.send("GET", `${path}?n=${n}`), 400);
        assert.equal(error?.code, "PAGINATION_NUMBER_INVALID", n);
      }
    });
  }

  test("a Range of thousands of ranges is one answer of the blob's size, and reads it once", async () => {
    const counting = countingDriver(new MemoryDriver());
    await using api = await startApi(counting.driver);
    const digest = await pushBlob(api, "a", Buffer.alloc(100_000));
    counting.forget();
    for (const range of ["0-", "0-99999", "-100000", "0-0", "5-5"]) {
      const answer = await api.send("GET", `/v2/a/blobs/${digest}`, {
        headers: { Range: `bytes=${Array.from({ length: 1500 }, () => range).join(",")}` },
      });
      assert.equal(answer.status, 200);
      assert.equal(answer.body.length, 100_000);
    }
    assert.ok(counting.calls.length <= 5 * 4, counting.calls.join());
    const huge = `bytes=${"9".repeat(5000)}-`;
    assert.equal((await api.send("GET", `/v2/a/blobs/${digest}`, { headers: { Range: huge } })).status, 416);
  });

  test("a query of thousands of parameters, and a thousand headers, are a request like another", async () => {
    await using api = await startApi(new MemoryDriver());
    const tags = Array.from({ length: 1500 }, (_, index) => `tag=t${index}`).join("&");
    assert.equal((await api.send("GET", `/v2/?${tags}`)).status, 200);
    await unchanged(api, async () => {
      const answer = await putManifest(api, "a", `${DIGEST}?${tags}`, "{}", MediaType.ociManifest);
      assert.equal(answer.status, 400);
    });
    const headers = Array.from({ length: 1000 }, (_, index) => `X-${index}: y\r\n`).join("");
    const answer = await api.raw(`GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`);
    assert.match(answer, /^HTTP\/1\.1 (?:200|431) /);
  });

  test("a manifest of tens of thousands of missing layers is refused with them, and asks for each once", async () => {
    const counting = countingDriver(new MemoryDriver());
    await using api = await startApi(counting.driver);
    const { document } = await pushImage(api, "a");
    const layers = Array.from({ length: 20_000 }, (_, index) => ({
      mediaType: MediaType.ociLayer,
      digest: `sha256:${(index % 10_000).toString(16).padStart(64, "0")}`,
      size: 1,
    }));
    counting.forget();
    const answer = await putManifest(api, "a", "t", { ...document, layers }, MediaType.ociManifest);
    assert.equal(errorsOf(answer, 400).length, 20_000);
    assert.ok(counting.calls.length < 2 * 10_000 + 100, `${counting.calls.length} calls`);
  });
});

/** Each would take longer than the tests may where an expression tries every way to part such a text. */
describe("regex DoS", () => {
  const TEXTS: readonly string[] = [
    ...[
      "a",
      "-",
      "a-",
      "a__",
      "a.",
      "/",
      "a/",
      "_",
      "0",
      ":",
      "a+",
      ",",
      ", ",
      "=",
      ";",
      '"',
      "\\",
      '\\"',
      "%",
      "%2e",
      " ",
      "\t",
    ].map((part) => part.repeat(16_000 / part.length)),
    `${"a".repeat(8000)}${"-".repeat(8000)}`,
    `bytes=${"0-,".repeat(5000)}`,
    `bytes=${" ".repeat(15_000)}x`,
    `for=${'"\\'.repeat(7000)}`,
    `${"for=a;".repeat(2500)}!`,
  ];

  test("texts as long as a head may be are read at once, by whatever reads them", () => {
    for (const text of TEXTS) {
      for (const end of ["", "!", "\u0000"]) {
        const whole = text + end;
        for (const path of [
          `/v2/${whole}/tags/list`,
          `/v2/a/manifests/${whole}`,
          `/v2/a/blobs/sha256:${whole}`,
          `http://${whole}`,
          whole,
        ]) {
          parseTarget(path, "/");
          maskedUrl(path);
        }
        checkedHost(whole);
        [...parseForwarded(whole)];
        parseRange(whole, 100);
        parseRange(`bytes=${whole}`, 100);
      }
    }
  });

  test("and by whatever reads the headers of a request", async () => {
    await using api = await startApi(new MemoryDriver());
    const digest = await pushBlob(api, "a", Buffer.from("x"));
    const names = [
      "Accept",
      "Authorization",
      "Content-Range",
      "Content-Type",
      "Expect",
      "Forwarded",
      "If-Match",
      "If-None-Match",
    ];
    for (const text of TEXTS.filter((text) => !/[\t\\]/.test(text))) {
      for (const name of [
        ...names,
        "If-Range",
        "Range",
        "Referer",
        "User-Agent",
        "X-Forwarded-For",
        "X-Forwarded-Host",
      ]) {
        const headers = { [name]: `x${text.slice(0, 12_000)}!` };
        const { status } = await api.send("GET", `/v2/a/blobs/${digest}`, { headers });
        assert.ok(status < 500, `${name}: ${status}`);
      }
    }
  });

  test("and by whatever reads a manifest", async () => {
    await using api = await startApi(new MemoryDriver());
    const { document } = await pushImage(api, "a");
    for (const text of TEXTS) {
      const long = text.repeat(20);
      for (const extra of [
        { artifactType: long },
        { subject: { mediaType: long, digest: `sha256:${long}`, size: 1 } },
        { layers: [{ mediaType: MediaType.ociNondistributable, digest: DIGEST, size: 1, urls: [`http://${long}`] }] },
        { layers: [{ mediaType: long, digest: long, size: 1 }] },
        { annotations: { [long]: long } },
      ]) {
        const { status } = await putManifest(api, "a", "t", { ...document, ...extra }, MediaType.ociManifest);
        assert.ok([201, 400, 413].includes(status), String(status));
      }
    }
  });
});
