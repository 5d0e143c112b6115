import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect } from "vitest";

import type { Server } from "../sandbox/http-server.js";
import { ADA } from "../sandbox/people.js";
import type { World } from "../sandbox/world.js";
import { closeGate, it, PATIENCE } from "./process-deployment.fixture.js";

/** Sends these bytes, and collects what comes back until the connection is over. */
function sendRaw(port: number, bytes: string): { socket: Socket; answer: Promise<string> } {
  const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  socket.on("error", () => undefined);
  const answer = new Promise<string>((resolve) => socket.on("close", () => resolve(text)));
  return { socket, answer };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}

/** The stopping has begun. */
async function refusesConnections(port: number): Promise<void> {
  while (await isListening(port)) await sleep(5);
}

describe.concurrent("an app that is told to stop", PATIENCE, () => {
  it.for<[signal: NodeJS.Signals, what: string, findServer: (world: World) => Server, path: string]>([
    ["SIGTERM", "asks a slow team", ({ team }) => team.server, "/cdn-cgi/access/certs"],
    ["SIGINT", "asks a slow site", ({ site }) => site.server, "/rest/api/3/permissions/check"],
  ])(
    "by %s, also twice, still answers the request that %s, and no other",
    async ([signal, , findServer, path], { deployment }) => {
      const { world } = deployment;
      const app = await deployment.startApp();
      await world.install("jira");
      const gate = closeGate(findServer(world), path);
      const { domain } = world.team;
      const answering = world.page(ADA).send("POST", "/api/v1/settings/check", { teamDomain: domain });
      await gate.reached;
      app.kill(signal);
      await refusesConnections(app.port);
      app.kill(signal);
      gate.open();
      expect((await answering).expect(200).body).toMatchObject({ ok: true });
      expect(await app.ended).toMatchObject({ code: 0, signal: null, stderr: "" });
      // SQLite removes it when the last connection is closed in good order.
      expect(existsSync(`${deployment.databaseFile}-wal`)).toBe(false);
    },
  );

  it("tells probes on the connections that are left, and then ends", async ({ deployment }) => {
    const { world } = deployment;
    const app = await deployment.startApp();
    await world.install("jira");
    const gate = closeGate(world.site.server, "/rest/api/3/permissions/check");
    const answering = world.page(ADA).send("GET", "/api/v1/settings");
    await gate.reached;
    // The answer to a whole request shows that the beginning of the next has arrived, too.
    const probes = ["/readyz", "/healthz"].map((path) =>
      sendRaw(app.port, `GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET ${path} HTTP/1.1\r\n`),
    );
    for (const { socket } of probes) await once(socket, "data");
    app.kill("SIGTERM");
    await refusesConnections(app.port);
    for (const { socket } of probes) socket.write("Host: localhost\r\n\r\n");
    const [ready, alive] = await Promise.all(probes.map(({ answer }) => answer));
    expect(ready).toMatch(/200 OK[^]+HTTP\/1.1 503 [^]+Retry-After: \d+[^]+"code":"store_unavailable"/);
    expect(alive).toMatch(/200 OK[^]+HTTP\/1.1 200 OK/);
    gate.open();
    (await answering).expect(200);
    expect(await app.ended).toMatchObject({ code: 0, stderr: "" });
  });

  it("does not wait for connections that nobody uses", async ({ deployment }) => {
    const app = await deployment.startApp();
    const silent = sendRaw(app.port, "");
    const used = sendRaw(app.port, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await once(used.socket, "data");
    const startedAt = performance.now();
    app.kill("SIGTERM");
    expect(await app.ended).toMatchObject({ code: 0, stderr: "" });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(await silent.answer).toBe("");
    expect(await used.answer).toContain("200 OK");
  });

  it("waits ten seconds for requests that never end, and no longer", async ({ deployment }) => {
    const { world } = deployment;
    const app = await deployment.startApp();
    await world.install("jira");
    const gate = closeGate(world.site.server, "/rest/api/3/permissions/check");
    const waiting = world.page(ADA).send("GET", "/api/v1/settings");
    const unfinished = sendRaw(
      app.port,
      "POST /installed HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    );
    await gate.reached;
    const startedAt = performance.now();
    app.kill("SIGTERM");
    expect(await app.ended).toMatchObject({ code: 0, signal: null, stderr: "" });
    const seconds = (performance.now() - startedAt) / 1000;
    expect(seconds).toBeGreaterThan(9);
    expect(seconds).toBeLessThan(13);
    expect(await unfinished.answer).toBe("");
    expect((await waiting).status).toBeGreaterThanOrEqual(500);
  });

  it("ends in good order when it is told so before it listens", async ({ deployment }) => {
    const app = deployment.spawnApp();
    // Made at the beginning of the start.
    while (!existsSync(`${deployment.databaseFile}.key`)) await sleep(2);
    app.kill("SIGTERM");
    expect(await app.ended).toMatchObject({ code: 0, signal: null, stderr: "" });
    await deployment.startApp();
  });
});
