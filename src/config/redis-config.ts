/** What is not set is left to the client library. */
export interface RedisConfig {
  readonly addrs: readonly string[];
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly db: number;
  readonly clientname?: string | undefined;
  readonly protocol?: number | undefined;
  readonly sentinelusername?: string | undefined;
  readonly sentinelpassword?: string | undefined;
  readonly mastername?: string | undefined;
  readonly maxretries?: number | undefined;
  readonly minretrybackoff?: number | undefined;
  readonly maxretrybackoff?: number | undefined;
  readonly dialtimeout?: number | undefined;
  readonly readtimeout?: number | undefined;
  readonly writetimeout?: number | undefined;
  readonly contexttimeoutenabled: boolean;
  readonly poolfifo: boolean;
  readonly poolsize?: number | undefined;
  readonly pooltimeout?: number | undefined;
  readonly minidleconns?: number | undefined;
  readonly maxidleconns?: number | undefined;
  readonly maxactiveconns?: number | undefined;
  readonly connmaxidletime?: number | undefined;
  readonly connmaxlifetime?: number | undefined;
  readonly maxredirects?: number | undefined;
  readonly readonly: boolean;
  readonly routebylatency: boolean;
  readonly routerandomly: boolean;
  readonly disableidentity: boolean;
  readonly identitysuffix?: string | undefined;
  readonly unstableresp3: boolean;
  readonly tls: {
    readonly certificate?: string | undefined;
    readonly key?: string | undefined;
    readonly rootcas: readonly string[];
  };
}
