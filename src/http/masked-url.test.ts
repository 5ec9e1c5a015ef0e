import assert from "node:assert/strict";
import { test } from "node:test";
import { maskedUrl } from "./masked-url.ts";

for (const [url, masked] of [
  ["/v2/a/tags/list?n=1&last=x", "/v2/a/tags/list?n=1&last=x"],
  ["/v2/?_state=S&x=y", "/v2/?_state=…&x=y"],
  ["/v2/?%5fst%61te=S", "/v2/?%5fst%61te=…"],
  ["/v2/?access_token=S&Authorization=S&PASSWORD=S", "/v2/?access_token=…&Authorization=…&PASSWORD=…"],
  ["/v2/?X-Amz-Signature=S&X-Amz-Credential=S", "/v2/?X-Amz-Signature=…&X-Amz-Credential=…"],
  ["/v2/?client_secret", "/v2/?client_secret=…"],
  ["/v2/?a+token=S&%zz=1", "/v2/?a+token=…&%zz=1"],
  ["http://user:S@host/v2/?n=1", "http://…@host/v2/?n=1"],
  ["//user:S@host/", "//…@host/"],
  ["/v2/a@b//x@y", "/v2/a@b//x@y"],
  ["", ""],
] as const) {
  test(`${url} is logged as ${masked}`, () => assert.equal(maskedUrl(url), masked));
}
