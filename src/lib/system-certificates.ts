let trusted = false;

/**
 * From now on, connections of this process trust the authorities of the machine besides those that Node brings, as programs
 * in Go do. Costs some 50 ms once, so it is for processes that connect to others by TLS.
 */
export function trustSystemCertificates(): void {
  if (trusted) return;
  trusted = true;
  const { getCACertificates, setDefaultCACertificates } = process.getBuiltinModule("node:tls");
  setDefaultCACertificates([...new Set([...getCACertificates("default"), ...getCACertificates("system")])]);
}
