/** The API over HTTP/1 over TLS. */
import { importSuites } from "./suites.ts";

await importSuites("tls");
