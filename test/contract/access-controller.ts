/** What every access controller does, whoever it believes. Each runs it in a few lines of its own test. */
import assert from "node:assert/strict";
import { validateHeaderValue } from "node:http";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import type { Access } from "../../src/auth/access.ts";
import type { AccessController, Grant } from "../../src/auth/access-controller.ts";
import { Unauthorized } from "../../src/oci/errors.ts";
import type { RepositoryName } from "../../src/oci/names.ts";
import { requestWith } from "../support/access-request.ts";
import { anyText } from "../support/any-text.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

export interface AccessHarness {
  open(): Promise<AccessController>;
  /** What somebody sends who may pull and push `team/image`. */
  good(): Promise<string> | string;
  readonly user: string;
  /** What others send, which lets nobody in; none where everything does. */
  readonly bad: readonly string[];
}

export const NEEDED: readonly Access[] = ["pull", "push"].map((action) => ({
  type: "repository",
  name: "team/image",
  action: action as "pull" | "push",
}));

export function accessContract(name: string, prepare: (folder: TemporaryFolder) => Promise<AccessHarness>): void {
  describe(`the access controller ${name}`, () => {
    let harness: AccessHarness;
    let controller: AccessController;
    let folder: TemporaryFolder;
    before(async () => {
      folder = await temporaryFolder("access");
      harness = await prepare(folder);
      controller = await harness.open();
    });
    after(async () => {
      await controller[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    });

    const ask = async (sent: string | undefined, needed = NEEDED): Promise<Grant> =>
      await controller.authorize(requestWith(sent), needed);
    const refusal = async (sent: string | undefined, needed = NEEDED): Promise<Unauthorized | undefined> => {
      try {
        await ask(sent, needed);
        return undefined;
      } catch (error) {
        assert.ok(error instanceof Unauthorized, String(error));
        validateHeaderValue("www-authenticate", error.challenge);
        return error;
      }
    };

    it("has a name", () => assert.match(controller.name, /^[a-z-]+$/));

    it("lets in whoever may, again and again, and says who it is", async () => {
      const sent = await harness.good();
      for (let i = 0; i < 3; i++) assert.equal((await ask(sent)).user, harness.user);
      assert.equal((await ask(sent, [])).user, harness.user);
      const together = await Promise.all(Array.from({ length: 20 }, () => ask(sent)));
      assert.ok(together.every(({ user }) => user === harness.user));
    });

    it("says what else they may read, where it says so, by yes or no", async () => {
      const { mayPull, maySee } = await ask(await harness.good());
      const one = "team/image" as RepositoryName;
      assert.ok(mayPull === undefined || mayPull(one) === true);
      assert.ok(maySee === undefined || maySee(one) === true);
    });

    it("refuses whoever sends nothing, with a challenge and the rights that were needed", async () => {
      for (const sent of [undefined, ""]) {
        const refused = (await refusal(sent)) ?? assert.fail("was let in");
        assert.match(refused.challenge, /^(?:Basic|Bearer) realm="/);
        assert.deepEqual(refused.detail, [
          { Type: "repository", Class: "", Name: "team/image", Action: "pull" },
          { Type: "repository", Class: "", Name: "team/image", Action: "push" },
        ]);
      }
    });

    it("refuses what is wrong, each time", async () => {
      for (const sent of [...harness.bad, ...harness.bad]) {
        assert.ok(await refusal(sent), sent);
        assert.ok(await refusal(sent, []), sent);
      }
      assert.equal((await ask(await harness.good())).user, harness.user);
    });

    it("refuses whatever else is sent by nothing but a challenge", async () => {
      if (harness.bad.length === 0) return;
      const sent = fc.oneof(
        anyText,
        fc.base64String().map((text) => `Basic ${text}`),
        fc.string().map((text) => `Bearer ${text}`),
        fc.array(fc.base64String(), { minLength: 3, maxLength: 3 }).map((parts) => `bearer ${parts.join(".")}`),
      );
      await fc.assert(
        fc.asyncProperty(sent, async (text) => assert.ok(await refusal(text))),
        { numRuns: 40 },
      );
    });

    it("gives a challenge that can be sent for whatever name is asked for", async () => {
      await fc.assert(
        fc.asyncProperty(anyText, async (name) => {
          assert.ok(await refusal(undefined, [{ type: "repository", name, action: "push" }]));
        }),
        { numRuns: 40 },
      );
    });

    it("can be disposed of while somebody is asking", async () => {
      const other = await harness.open();
      const asked = (async () => await other.authorize(requestWith(await harness.good()), NEEDED))();
      const settled = Promise.allSettled([asked]);
      await other[Symbol.asyncDispose]();
      await settled;
    });
  });
}
