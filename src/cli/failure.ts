/** Ends the command with exit code 1; its message is all that is printed. */
export class Failure extends Error {
  override readonly name = "Failure";
}
