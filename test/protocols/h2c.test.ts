/** The API over HTTP/2 without encryption. */
import { importSuites } from "./suites.ts";

await importSuites("h2c");
