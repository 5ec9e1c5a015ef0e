import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Group } from "./effect.ts";
import { frontGroups } from "./front.ts";
import type { Place } from "./place.ts";
import { watchingGroup } from "./watching.ts";

const CACHE_IN_MEMORY = /using inmemory blob descriptor cache/;
const REDIRECT = [{ name: "redirect", options: { baseurl: "https://cdn.example/" } }];
/** A manifest with a URL that is not allowed. */
const REFUSED_WITH_500 = { expected: 500, why: "it has no code for it; the manifest is at fault, not the registry" };

export function groupsOf(place: Place): readonly Group[] {
  const root = join(place.folder, "another-root");
  const socket = join(place.folder, "registry.sock");
  return [
    {
      name: "what answers, the log and the storage show",
      base: { compatibility: { schema1: { enabled: true } }, http: { addr: "127.0.0.1:0" } },
      effects: [
        { key: "http.addr", value: `127.0.0.1:${place.port}`, seen: (r) => r.statusAt(place.port), expected: 200 },
        { key: "http.headers.*[]", value: { "X-A": ["b", "c"] }, seen: (r) => r.header("X-A"), expected: "b, c" },
        { key: "http.relativeurls", value: true, seen: async (r) => (await r.location())[0], expected: "/" },
        { key: "http.secret", value: "of keys", seen: (r) => r.stateIsSignedWith("of keys"), expected: true },
        { key: "http.draintimeout", value: "5s", seen: (r) => r.exitCode, atEnd: true, expected: 0 },
        { key: "log.formatter", value: "json", seen: (r) => r.listening()?.["level"], expected: "info" },
        { key: "log.fields.*", value: { service: "x" }, seen: (r) => r.listening()?.["service"], expected: "x" },
        {
          key: "log.accesslog.disabled",
          value: true,
          seen: (r) => r.logged(/"GET \/v2\/ HTTP/),
          atEnd: true,
          expected: false,
        },
        {
          key: "storage.filesystem.rootdirectory",
          value: root,
          seen: () => existsSync(join(root, "docker/registry/v2/blobs")),
          atEnd: true,
          expected: true,
        },
        { key: "storage.delete.enabled", value: true, seen: (r) => r.deletion(), expected: 202 },
        {
          key: "storage.cache.blobdescriptor",
          value: "inmemory",
          seen: (r) => r.logged(CACHE_IN_MEMORY),
          expected: true,
        },
        {
          key: "storage.maintenance.uploadpurging.enabled",
          value: false,
          variable: ["REGISTRY_STORAGE_MAINTENANCE", "{uploadpurging: {enabled: false}}"],
          seen: (r) => r.logged(/Starting upload purge/),
          atEnd: true,
          expected: false,
        },
        { key: "catalog.maxentries", value: 2, seen: (r) => r.repositories(3), expected: 2 },
        {
          key: "validation.manifests.urls.allow[]",
          value: ["^https://ok\\.example/"],
          seen: (r) => r.foreignLayer("https://ok.example/layer"),
          expected: 201,
        },
        {
          key: "validation.manifests.urls.deny[]",
          value: ["/no/"],
          seen: (r) => r.foreignLayer("https://ok.example/no/layer"),
          expected: 400,
          old: REFUSED_WITH_500,
          asWithout: "without any list no URL is allowed",
        },
        {
          key: "policy.repository.classes[]",
          value: ["image"],
          seen: (r) => r.plugin(),
          expected: 403,
        },
        {
          key: "compatibility.schema1.signingkeyfile",
          value: place.signer.path,
          seen: (r) => r.signer(),
          expected: place.signer.fingerprint,
        },
      ],
    },
    {
      name: "what stands elsewhere",
      effects: [
        { key: "http.prefix", value: "/p/", seen: (r) => r.statusOf("/p/v2/"), expected: 200 },
        { key: "log.formatter", value: "logstash", seen: (r) => r.listening()?.["@version"], expected: "1" },
        { key: "storage.cache.layerinfo", value: "inmemory", seen: (r) => r.logged(CACHE_IN_MEMORY), expected: true },
        { key: "compatibility.schema1.enabled", value: true, seen: (r) => r.under("/p").schema1(), expected: 201 },
        {
          key: "validation.disabled",
          value: true,
          seen: (r) => r.under("/p").foreignLayer("https://any.example/"),
          expected: 201,
        },
      ],
    },
    {
      name: "a socket, and a host that is not this one",
      effects: [
        {
          key: "http.net",
          value: "unix",
          seen: (r) => r.locationBySocket(socket),
          expected: "https://h.example/x/v2/",
        },
        { key: "http.addr", value: socket, seen: () => existsSync(socket), expected: true },
        {
          key: "http.host",
          value: "https://h.example/x/",
          seen: (r) => r.locationBySocket(socket),
          expected: "https://h.example/x/v2/",
        },
      ],
    },
    {
      name: "Redis, and a middleware",
      effects: [
        {
          key: "storage.cache.blobdescriptor",
          value: "redis",
          seen: (r) => r.logged(/using redis blob descriptor cache/),
          expected: true,
        },
        { key: "redis.addr", value: place.redis, seen: (r) => r.keysInRedis(3), expected: true },
        { key: "redis.password", value: "open", seen: (r) => r.keysInRedis(3), expected: true },
        {
          key: "redis.db",
          value: 3,
          seen: async (r) => [await r.keysInRedis(3), await r.keysInRedis(0)],
          expected: [true, false],
        },
        { key: "middleware.storage[].name", value: REDIRECT, seen: (r) => r.download(), expected: 307 },
        {
          key: "middleware.storage[].options.*",
          value: REDIRECT,
          seen: (r) => r.redirect(),
          expected: "https://cdn.example",
        },
      ],
    },
    {
      name: "what takes something back",
      base: { middleware: { storage: REDIRECT }, validation: { disabled: true } },
      effects: [
        {
          key: "storage.redirect.disable",
          value: true,
          variable: ["REGISTRY_STORAGE_REDIRECT", "{disable: true}"],
          seen: (r) => r.download(),
          expected: 200,
          asWithout: "without the middleware nothing is redirected",
        },
        {
          key: "validation.enabled",
          value: true,
          seen: (r) => r.foreignLayer("https://any.example/"),
          expected: 400,
          old: REFUSED_WITH_500,
          asWithout: "nothing else has switched it off there",
        },
      ],
    },
    {
      name: "nothing is written",
      effects: [
        {
          key: "storage.maintenance.readonly.enabled",
          value: true,
          variable: ["REGISTRY_STORAGE_MAINTENANCE_READONLY", "{enabled: true}"],
          seen: (r) => r.upload(),
          expected: 405,
        },
      ],
    },
    {
      name: "nothing is kept",
      effects: [
        {
          key: "storage.inmemory.*",
          value: {},
          variable: ["REGISTRY_STORAGE", "inmemory"],
          seen: async (r) => [await r.download(), existsSync(join(r.rootDirectory, "docker"))],
          expected: [200, false],
        },
      ],
    },
    watchingGroup(place),
    ...frontGroups(place),
  ];
}
