import { NameInvalid, TagInvalid } from "./errors.ts";

/** A repository's name in the grammar of the specification, made by {@link parseRepositoryName}. */
export type RepositoryName = string & { readonly __brand: "RepositoryName" };

/** Made by {@link parseTag}. */
export type Tag = string & { readonly __brand: "Tag" };

/** Longest repository name, in characters. The peers' newer versions do not count the first of several components. */
const NAME_LIMIT = 255;

const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const NAME = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);

/**
 * What the peers' router admits beyond the specification: a first component that looks like a host (upper case, dots).
 * A host with a port or an IPv6 address is in their grammar too but not in their storage paths, so it never existed.
 */
const HOST = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const STORED_NAME = new RegExp(`^${HOST}(?:\\.${HOST})*(?:/${COMPONENT})+$`);

const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/**
 * A name that may be created.
 * @throws {NameInvalid}
 * @see OCI distribution-spec 1.1, "Pulling manifests"
 */
export function parseRepositoryName(text: string): RepositoryName {
  if (text.length > NAME_LIMIT) throw new NameInvalid(`at most ${NAME_LIMIT} characters, not ${text.length}`);
  if (!NAME.test(text)) {
    throw new NameInvalid(
      "expected lower-case letters and digits, separated within a component by one '.', one or two '_' or any '-', and components by '/'",
    );
  }
  return text as RepositoryName;
}

/**
 * A name that may be read: also what the peers let clients create in the past, such as `Foo/bar`.
 * @throws {NameInvalid}
 */
export function parseStoredName(text: string): RepositoryName {
  const path = text.length - text.indexOf("/") - 1;
  if (path <= NAME_LIMIT && text.length <= 2 * NAME_LIMIT && STORED_NAME.test(text)) return text as RepositoryName;
  return parseRepositoryName(text);
}

/**
 * @throws {TagInvalid}
 * @see OCI distribution-spec 1.1, "Pulling manifests"
 */
export function parseTag(text: string): Tag {
  if (!isTag(text)) {
    throw new TagInvalid("expected a letter, digit or '_', then up to 127 letters, digits, '_', '.' or '-'");
  }
  return text;
}

export function isTag(text: string): text is Tag {
  return TAG.test(text);
}
