import { closeSync, mkdirSync, openSync } from "node:fs";
import path from "node:path";

import { toAppError } from "./storage-error.js";

/** Makes the file and its directory, for the app's eyes only, unless they exist. SQLite gives its side files the same mode. */
export function createDatabaseFile(file: string): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    closeSync(openSync(file, "a", 0o600));
  } catch (error) {
    throw toAppError(error);
  }
}
