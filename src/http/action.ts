/**
 * What a request needs the right to do.
 * @see auth, section 1
 */
export type Action = "anything" | "authenticate" | "catalog" | "pull" | "push" | "delete" | "cancel";
