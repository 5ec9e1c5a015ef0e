/** The API over HTTP/2, as most clients of an encrypted registry speak it. */
import { importAllSuites } from "./suites.ts";

await importAllSuites("h2");
