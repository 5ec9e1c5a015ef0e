/**
 * A process that changes a file again and again, in all the ways that writers of links have, and publishes after each change
 * how many are done. Run with the file and that of the count; every message asks for another burst.
 */
import { closeSync, openSync, renameSync, unlinkSync, writeFileSync, writeSync } from "node:fs";

const CHANGES = 40;

const [file = "", count = ""] = process.argv.slice(2);
const published = openSync(count, "r+");

/** As docker-registry does: truncated, then written. */
const inPlace = (text: string): void => writeFileSync(file, text);

const byRename = (text: string): void => {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
};

/** The new file often gets the inode of the old one. */
const anew = (text: string): void => {
  unlinkSync(file);
  writeFileSync(file, text);
};

const WAYS = [inPlace, inPlace, byRename, anew] as const;

let done = 0;

process.on("message", () => {
  for (let i = 0; i < CHANGES; i++) {
    const text = String(done + 1).padStart(12, "0");
    WAYS[done % WAYS.length]?.(text);
    done += 1;
    writeSync(published, text, 0);
  }
  process.send?.(done);
});
process.on("disconnect", () => closeSync(published));
