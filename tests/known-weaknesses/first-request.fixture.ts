import { Server } from "node:net";
import { vi } from "vitest";

import { startApp } from "../../src/start-app.js";
import { exchange, type RawAnswer } from "../../src/web/raw-http.fixture.js";
import { DatabaseFile } from "../linking-database.fixture.js";

/** The answers to bytes that are sent to a new app at the very moment in which it begins to listen. */
export async function sendFirst(bytes: string): Promise<RawAnswer[]> {
  const database = await DatabaseFile.create();
  const answers: Promise<RawAnswer[]>[] = [];
  const listen = Reflect.get(Server.prototype, "listen") as (this: Server, ...args: unknown[]) => Server;
  const spy = vi.spyOn(Server.prototype, "listen").mockImplementation(function (this: Server, ...args) {
    this.once("listening", () => {
      const address = this.address();
      if (address && typeof address === "object") answers.push(exchange(address.port, bytes));
    });
    return listen.apply(this, args);
  });
  const env = { HOST: "127.0.0.1", PORT: "0", BASE_URL: "http://localhost", LOG_LEVEL: "silent" };
  const app = await startApp({ ...env, DATABASE_URL: `sqlite:${database.file}` });
  spy.mockRestore();
  try {
    return (await Promise.all(answers)).flat();
  } finally {
    await app.close();
    await database.close();
  }
}
