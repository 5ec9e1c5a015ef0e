/**
 * Repository middleware of one's own: a tag that matches `pattern` is written once, and deleted by nobody.
 * middleware.yml names it, wrapped.ts calls it.
 */
import { Denied, type Digest, decorate, type Repository, type Tag, type WrapRepository } from "wharfinger";

export const wrapRepository: WrapRepository = (repository, { pattern }) => {
  const { manifests, tags } = repository;
  const fixed = new RegExp(String(pattern));
  return {
    ...repository,
    tags: decorate(tags, {
      set: (tag, digest, condition) =>
        tags.set(tag, digest, (current) => {
          if (current !== undefined && current !== digest && fixed.test(tag)) throw denied(tag);
          condition?.(current);
        }),
      delete: async (tag) => {
        if (fixed.test(tag)) throw denied(tag);
        await tags.delete(tag);
      },
    }),
    manifests: decorate(manifests, {
      delete: async (digest) => {
        const tag = await tagOf(repository, digest, fixed);
        if (tag !== undefined) throw denied(tag);
        return await manifests.delete(digest);
      },
    }),
  };
};

/** With a manifest go the tags that point at it. */
async function tagOf({ tags }: Repository, digest: Digest, fixed: RegExp): Promise<Tag | undefined> {
  for await (const tag of tags.list()) if (fixed.test(tag) && (await tags.resolve(tag)) === digest) return tag;
  return undefined;
}

function denied(tag: Tag): Denied {
  return new Denied(`the tag ${tag} is never changed: push under another one`);
}
