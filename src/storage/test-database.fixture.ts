import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";

import { silentLogger } from "../logger.js";
import { openDatabase, type OpenDatabase, type OpenDatabaseOptions } from "./open-database.js";

export const NOW = new Date("2026-11-22T10:00:00.123Z");
export const KEY = Buffer.alloc(32, 1);

/** Gone when the test ends. */
export function createTestFile(): string {
  const directory = mkdtempSync(path.join(tmpdir(), "storage-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return path.join(directory, "app.sqlite");
}

/** Closed when the test ends. */
export async function openTestDatabase(overrides: Partial<OpenDatabaseOptions> = {}): Promise<OpenDatabase> {
  const database = await openDatabase({
    file: overrides.file ?? createTestFile(),
    encryptionKeys: [KEY],
    clock: { now: () => NOW },
    logger: silentLogger,
    ...overrides,
  });
  onTestFinished(() => database.close());
  return database;
}

export function minutesAfter(minutes: number): Date {
  return new Date(NOW.getTime() + minutes * 60_000);
}
