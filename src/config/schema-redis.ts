import * as v from "valibot";
import {
  alwaysThere,
  bool,
  type Field,
  int,
  listOf,
  optionalText,
  section,
  signedDuration,
  text,
  withDefault,
} from "./fields.ts";
import type { RedisSection } from "./file-config.ts";

const count = v.optional(int());
const time = v.optional(signedDuration);
const off = withDefault(bool, false);

/** A negative time or count switches something off, as the peers' client has it. */
export const redis: Field<RedisSection> = section({
  addr: optionalText,
  addrs: listOf(text),
  username: optionalText,
  password: optionalText,
  db: withDefault(int(0), 0),
  clientname: optionalText,
  protocol: count,
  sentinelusername: optionalText,
  sentinelpassword: optionalText,
  mastername: optionalText,
  maxretries: count,
  minretrybackoff: time,
  maxretrybackoff: time,
  dialtimeout: time,
  readtimeout: time,
  writetimeout: time,
  contexttimeoutenabled: off,
  poolfifo: off,
  poolsize: count,
  pooltimeout: time,
  minidleconns: count,
  maxidleconns: count,
  maxactiveconns: count,
  connmaxidletime: time,
  connmaxlifetime: time,
  maxredirects: count,
  readonly: off,
  routebylatency: off,
  routerandomly: off,
  disableidentity: off,
  identitysuffix: optionalText,
  unstableresp3: off,
  tls: alwaysThere({ certificate: optionalText, key: optionalText, rootcas: listOf(text) }),
  pool: alwaysThere({ maxidle: count, maxactive: count, idletimeout: time }),
});
