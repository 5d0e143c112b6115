import { generateKeyPairSync, type KeyObject } from "node:crypto";

import { startHttpServer, type TestServer } from "./http-server.fixture.js";

export interface KeyPair {
  readonly publicPem: string;
  readonly privateKey: KeyObject;
}

export function createRsaKeyPair(modulusLength = 2048): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength });
  return { publicPem: publicKey.export({ type: "spki", format: "pem" }).toString(), privateKey };
}

export interface KeyAnswer {
  readonly status: number;
  readonly body?: string;
}

export interface KeyServer extends TestServer {
  /** By kid; one that isn't listed is a 404. */
  readonly answers: Map<string, KeyAnswer>;
  /** Answered instead for every kid, as when the whole server is in trouble. */
  outage: KeyAnswer | null;
  /** Kids asked for, in order. */
  readonly asked: string[];
}

export function keyFile(body: string): KeyAnswer {
  return { status: 200, body };
}

export async function startKeyServer(): Promise<KeyServer> {
  const answers = new Map<string, KeyAnswer>();
  const asked: string[] = [];
  const server = await startHttpServer((request, response) => {
    const kid = (request.url ?? "").slice(1);
    asked.push(kid);
    const answer = keyServer.outage ?? answers.get(kid) ?? { status: 404 };
    response.writeHead(answer.status, { location: "/elsewhere" }).end(answer.body);
  });
  const keyServer: KeyServer = { ...server, answers, asked, outage: null };
  return keyServer;
}
