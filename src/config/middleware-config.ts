/** Whatever stands in the file, as YAML reads it, or what the schema made of it. */
type Options = Readonly<Record<string, unknown>>;

export interface MiddlewareLists {
  readonly registry: readonly Middleware[];
  readonly repository: readonly Middleware[];
  readonly storage: readonly Middleware[];
}

export interface Middleware {
  /** Of middleware of the operator's own: the specifier of its module, which has a slash in it or begins with `file:`. */
  readonly name: string;
  readonly disabled: boolean;
  /**
   * Of what is built in: {@link CloudfrontParameters}, {@link RedirectParameters} or {@link RewriteParameters}; others as
   * YAML has them.
   */
  readonly options: Options;
}

export interface CloudfrontParameters extends Options {
  readonly baseurl: URL;
  /** A file. */
  readonly privatekey: string;
  readonly keypairid: string;
  readonly duration: number;
  readonly ipfilteredby: "none" | "aws" | "awsregion";
  readonly awsregion?: readonly string[] | undefined;
  readonly updatefrequency?: number | undefined;
  readonly iprangesurl?: URL | undefined;
}

export interface RedirectParameters extends Options {
  readonly baseurl: URL;
}

export interface RewriteParameters extends Options {
  readonly scheme?: "http" | "https" | undefined;
  readonly host?: string | undefined;
  readonly trimpathprefix?: string | undefined;
}
