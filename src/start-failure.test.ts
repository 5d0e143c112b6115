import { createServer } from "node:http";
import { describe, expect, it } from "vitest";

import { ConfigError } from "./config/config.js";
import { explainStartFailure } from "./start-failure.js";
import { toAppError } from "./storage/storage-error.js";

function buildError(message: string, members: object = {}): Error {
  return Object.assign(new Error(message), { code: /^[A-Z_]+/.exec(message)?.[0], ...members });
}

describe("explainStartFailure", () => {
  it("gives every problem of the configuration a line", () => {
    const lines = ["PORT: is wrong.", "HOST: is wrong."];
    expect(explainStartFailure(new ConfigError(lines))).toEqual({ exitCode: 78, lines });
  });

  it.each([
    [78, "SQLITE_NOTADB: file is not a database"],
    [78, "SQLITE_CANTOPEN: unable to open database file"],
    [78, "SQLITE_READONLY: attempt to write a readonly database"],
    [78, "EISDIR: illegal operation on a directory, open '/data'"],
    [78, "EACCES: permission denied, mkdir '/data'"],
    [78, "EROFS: read-only file system, open '/data/app.sqlite'"],
    // These may be over by the next start, or are for people to look at.
    [1, "SQLITE_BUSY: database is locked"],
    [1, "SQLITE_FULL: database or disk is full"],
    [1, "SQLITE_IOERR: disk I/O error"],
    [1, "SQLITE_CORRUPT: database disk image is malformed"],
    [1, "SQLITE_ERROR: no such table: tenants"],
    [1, "ENOSPC: no space left on device, open '/data/app.sqlite'"],
  ])("ends with %i and the database's own words for %s", (exitCode, message) => {
    const lines = [`DATABASE_URL: the database can't be used (${message}).`];
    expect(explainStartFailure(toAppError(buildError(message)))).toEqual({ exitCode, lines });
  });

  it.each([
    [1, "EADDRINUSE: address already in use", "PORT: another program already listens on port 80."],
    [78, "EACCES: permission denied", "PORT: this user may not listen on port 80."],
    [78, "EADDRNOTAVAIL: address not available", "HOST: this machine can't listen on that address"],
  ])("ends with %i and the variable when listening fails with %s", (exitCode, message, line) => {
    const failure = explainStartFailure(buildError(message, { syscall: "listen", port: 80 }));
    expect(failure).toEqual({ exitCode, lines: [expect.stringContaining(line)] });
  });

  it.each([
    [78, "ENOTFOUND", "HOST: this machine can't listen on that address"],
    [1, "EAI_AGAIN", "HOST: its address can't be looked up right now"],
  ])("ends with %i when looking HOST up fails with %s", (exitCode, code, line) => {
    const failure = explainStartFailure(buildError(`getaddrinfo ${code}`, { code, syscall: "getaddrinfo" }));
    expect(failure).toEqual({ exitCode, lines: [expect.stringContaining(line)] });
  });

  it("knows the error that a taken port really gives", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const other = createServer().listen(server.address());
    const error = await new Promise((resolve) => other.once("error", resolve));
    server.close();
    expect(explainStartFailure(error)?.lines.join()).toMatch(/^PORT: another program .* port \d+\.$/);
  });

  it.each([new TypeError("x is not a function"), "text", undefined])(
    "leaves a fault (%s) unexplained",
    (fault) => {
      expect(explainStartFailure(fault)).toBeNull();
    },
  );
});
