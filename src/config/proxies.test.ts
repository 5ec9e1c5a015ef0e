import assert from "node:assert/strict";
import { test } from "node:test";
import { readProxies } from "./proxies.ts";

test("proxies are read from variables in either case, first those in upper case, as the peers do", () => {
  assert.deepEqual(readProxies({ http_proxy: "a", HTTPS_PROXY: "b", https_proxy: "c", no_proxy: "d" }), {
    http: "a",
    https: "b",
    except: "d",
  });
});

test("an empty variable is none", () => {
  assert.deepEqual(readProxies({ HTTP_PROXY: "", http_proxy: "a", NO_PROXY: "" }), {
    http: "a",
    https: undefined,
    except: undefined,
  });
});
