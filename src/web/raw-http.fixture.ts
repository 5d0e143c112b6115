import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { expect } from "vitest";

import { PROBLEMS, type ProblemCode } from "../errors.js";
import { BASE_URL } from "./http-server.fixture.js";

export const JSON_TYPE = "Content-Type: application/json";

/** A request without its body. */
export function request(line: string, ...headers: readonly string[]): string {
  return [line, "Host: app.example.com", ...headers, "", ""].join("\r\n");
}

/** One answer, complete, with the headers that every answer has. */
export function expectProblem(answers: readonly RawAnswer[], code: ProblemCode): void {
  expect(answers).toHaveLength(1);
  const [{ status, headers, body }] = answers as [RawAnswer];
  expect(status).toBe(PROBLEMS[code].status);
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect(headers.get("cache-control")).toBe("no-cache, no-store");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(Number(headers.get("content-length"))).toBe(Buffer.byteLength(body));
  expect(JSON.parse(body)).toMatchObject({
    type: `${BASE_URL}/problems#${code}`,
    status,
    code,
    reference: headers.get("x-request-reference"),
  });
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** Opens a connection whose own half may stay open, as hostile clients' do. */
export async function openConnection(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** Sends bytes; fails when the connection breaks before the last of them is on its way. */
export function write(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Sends bytes and reads until the server closes its half. */
export async function exchange(port: number, bytes: string | Buffer): Promise<RawAnswer[]> {
  const socket = await openConnection(port);
  socket.write(bytes);
  return readAnswers(socket);
}

/** All the answers on a connection, read until the server closes its half. */
export async function readAnswers(socket: Socket): Promise<RawAnswer[]> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await Promise.race([once(socket, "end"), once(socket, "close")]);
  socket.destroy();
  return parseAnswers(Buffer.concat(chunks).toString("latin1"));
}

function parseAnswers(text: string): RawAnswer[] {
  if (text === "") return [];
  const headEnd = text.indexOf("\r\n\r\n");
  const [statusLine = "", ...headerLines] = text.slice(0, headEnd).split("\r\n");
  const headers = new Headers(
    headerLines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
  const bodyEnd = headEnd + 4 + Number(headers.get("content-length") ?? 0);
  const answer = {
    status: Number(statusLine.split(" ")[1]),
    headers,
    body: text.slice(headEnd + 4, bodyEnd),
  };
  return [answer, ...parseAnswers(text.slice(bodyEnd))];
}
