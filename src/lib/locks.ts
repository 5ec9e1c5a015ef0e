/** Locks by name, first come first served. Holders of one name are either several shared ones or one exclusive one. */
export interface Locks {
  shared<R>(key: string, work: () => Promise<R>): Promise<R>;
  exclusive<R>(key: string, work: () => Promise<R>): Promise<R>;
}
