import assert from "node:assert/strict";
import { test } from "node:test";
import { TooManyRequests } from "../oci/errors.ts";
import { Limits } from "./limits.ts";

const OFF = { rate: 0, burst: 0 };
const ONE = { rate: 1, burst: 1 };

test("without limits nothing is refused", () => {
  const limits = new Limits({ uploads: 0, address: OFF, user: OFF });
  for (let count = 0; count < 1000; count += 1) {
    limits.countAddress("192.0.2.1");
    limits.countUser("alice");
    limits.beginUpload();
  }
});

test("addresses are counted apart, those of one IPv6 network together", () => {
  const limits = new Limits({ uploads: 0, address: ONE, user: OFF }, () => 0);
  const counted = (address: string): boolean => {
    try {
      limits.countAddress(address);
      return true;
    } catch (error) {
      assert.ok(error instanceof TooManyRequests);
      return false;
    }
  };
  for (const [address, expected] of [
    ["192.0.2.1", true],
    ["192.0.2.1", false],
    ["192.0.2.2", true],
    ["2001:db8::1", true],
    ["2001:db8:0:0:ffff::2", false],
    ["2001:0DB8::5:6:7:8", false],
    ["2001:db8:0:1::1", true],
    ["fe80::1%eth0", true],
    ["::1", true],
    ["::2", false],
  ] as const) {
    assert.equal(counted(address), expected, address);
  }
  limits.countAddress(undefined);
  limits.countAddress(undefined);
});

test("users are counted apart, and who did not log in is not", () => {
  const limits = new Limits({ uploads: 0, address: OFF, user: { rate: 0.1, burst: 1 } }, () => 0);
  limits.countUser("alice");
  limits.countUser("bob");
  limits.countUser("");
  limits.countUser("");
  assert.throws(() => limits.countUser("alice"), { name: "TooManyRequests", retryAfter: 10 });
});

test("an upload that ends makes room for another", () => {
  const limits = new Limits({ uploads: 1, address: OFF, user: OFF });
  const first = limits.beginUpload();
  assert.throws(() => limits.beginUpload(), { name: "TooManyRequests" });
  first[Symbol.dispose]();
  limits.beginUpload();
});
