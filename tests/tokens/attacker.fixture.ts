import { generateKeyPairSync, type JsonWebKey, type KeyObject } from "node:crypto";

import { json, startServer, text, type Server } from "../../sandbox/http-server.js";
import type { KeyPair } from "../../sandbox/jwt.js";
import { createCertificate, toPem } from "./certificate.fixture.js";

/** Somebody with keys of their own, and with a server that publishes them and counts who asks. */
export class Attacker {
  readonly rsa: KeyPair = generateKeyPairSync("rsa", { modulusLength: 2048 });
  readonly ec: KeyObject = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  readonly ed25519: KeyObject = generateKeyPairSync("ed25519").privateKey;
  readonly certificate = createCertificate(this.rsa);
  readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
  }

  static async start(): Promise<Attacker> {
    const server = await startServer({ hostname: "127.0.0.1" });
    const attacker = new Attacker(server);
    server.routes.push(
      ["GET", /^\/keys$/, () => json(200, { keys: [attacker.jwk] })],
      ["GET", /^\/certificate$/, () => text(200, toPem("CERTIFICATE", attacker.certificate))],
      ["GET", /^\/key$/, () => text(200, attacker.pem)],
    );
    return attacker;
  }

  get jwk(): JsonWebKey {
    return {
      ...this.rsa.publicKey.export({ format: "jwk" }),
      kid: "the attacker's",
      alg: "RS256",
      use: "sig",
    };
  }

  get pem(): string {
    return this.rsa.publicKey.export({ type: "spki", format: "pem" }).toString();
  }

  get url(): string {
    return this.server.url;
  }

  async close(): Promise<void> {
    await this.server.close();
  }
}
