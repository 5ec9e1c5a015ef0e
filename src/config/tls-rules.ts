import { DROPPED_SUITES } from "./cipher-suites.ts";
import type { Finding } from "./finding.ts";
import { find, isNull, Mapping, Scalar, Sequence, type Tree } from "./tree.ts";

/** What the schema cannot say of `http.tls`, `http.http2` and `http.h2c`. */
export function tlsFindings(root: Mapping): Finding[] {
  const tls = find(root, ["http", "tls"]);
  const encrypted = given(tls, "certificate") ?? given(tls, "letsencrypt.cachefile");
  const findings = tls instanceof Mapping ? [...(encrypted ? sound(tls) : unencrypted(tls)), ...raised(tls)] : [];
  return encrypted ? [...findings, ...h2cIgnored(root)] : findings;
}

/** Peers then serve without encryption; here the keys are taken for what they ask for. */
function unencrypted(tls: Mapping): Finding[] {
  const alone = given(tls, "key") ?? firstOf(tls, "clientcas") ?? firstOf(tls, "letsencrypt.hosts");
  if (!alone) return [];
  const sentence =
    "http.tls has neither certificate nor letsencrypt.cachefile, so nothing would be encrypted; name one, or leave out the section";
  return [fatal("http.tls", alone, sentence)];
}

function sound(tls: Mapping): Finding[] {
  const [certificate, key] = [given(tls, "certificate"), given(tls, "key")];
  const [cache, host] = [given(tls, "letsencrypt.cachefile"), firstOf(tls, "letsencrypt.hosts")];
  const found: Finding[] = [];
  if (certificate && cache) {
    found.push(fatal("letsencrypt", cache, "cannot specify both certificate and Let's Encrypt under http.tls"));
  } else if (certificate && !key) {
    found.push(
      fatal("http.tls.key", certificate, "http.tls.certificate needs http.tls.key, the file of its private key"),
    );
  } else if (cache && !host) {
    const sentence = "http.tls.letsencrypt.hosts must list the names of this registry: no other gets a certificate";
    found.push(fatal("http.tls.letsencrypt.hosts", cache, sentence));
  }
  return [...found, ...suiteFindings(tls)];
}

function suiteFindings(tls: Mapping): Finding[] {
  const list = find(tls, ["ciphersuites"]);
  const suites = list instanceof Sequence ? list.items.filter(isGiven) : [];
  const [first] = suites;
  if (first && given(tls, "minimumtls")?.text.toLowerCase() === "tls1.3") {
    return [warning(first, "http.tls.ciphersuites is ignored, because TLS 1.3 chooses its suites itself")];
  }
  return suites.filter(({ text }) => DROPPED_SUITES.has(text)).map(dropped);
}

function dropped(suite: Scalar): Finding {
  const sentence = `http.tls.ciphersuites has ${suite.text}, which is broken and no longer built into OpenSSL; take it out`;
  return fatal(suite.text, suite, sentence);
}

function raised(tls: Mapping): Finding[] {
  const version = given(tls, "minimumtls");
  if (!version || !/^tls1\.[01]$/i.test(version.text)) return [];
  return [warning(version, `http.tls.minimumtls ${version.text} is no longer sound, tls1.2 counts instead`)];
}

function h2cIgnored(root: Mapping): Finding[] {
  const h2c = given(root, "http.h2c.enabled");
  if (h2c?.value !== true) return [];
  return [
    warning(h2c, "http.h2c.enabled is ignored, because connections are encrypted and choose HTTP/2 in the handshake"),
  ];
}

function given(tree: Tree | undefined, path: string): Scalar | undefined {
  const found = tree && find(tree, path.split("."));
  return isGiven(found) ? found : undefined;
}

function firstOf(tree: Tree, path: string): Scalar | undefined {
  const list = find(tree, path.split("."));
  return list instanceof Sequence ? list.items.find(isGiven) : undefined;
}

function isGiven(tree: Tree | undefined): tree is Scalar {
  return tree instanceof Scalar && !isNull(tree) && tree.text !== "";
}

function fatal(about: string, { where }: Scalar, sentence: string): Finding {
  return { about, where, sentence, fatal: true };
}

function warning({ where }: Scalar, sentence: string): Finding {
  return { about: sentence, where, sentence, fatal: false };
}
