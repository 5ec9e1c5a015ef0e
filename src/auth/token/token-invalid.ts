/** A token that counts for nothing. The message is for the log and quotes nothing of the token. */
export class TokenInvalid extends Error {
  override readonly name: string = "TokenInvalid";
}

/** It may be signed by a key that is known soon. */
export class KeyUnknown extends TokenInvalid {
  override readonly name = "KeyUnknown";
}
