import { randomUUID } from "node:crypto";

import { startServer, text, type Answer, type Behaviour, type Server } from "./http-server.js";
import { createRsaKeyPair, signJwt, type Claims, type KeyPair } from "./jwt.js";

/** Atlassian's own signature under install events, and the server that publishes the public keys as `/<kid>`. */
export class InstallKeys {
  readonly server: Server;
  /** By kid; the newest is last. */
  readonly #keys = new Map<string, KeyPair>();

  private constructor(server: Server) {
    this.server = server;
    server.routes.push(["GET", /^\/(.+)$/, (_, [, kid = ""]) => this.#publish(decodeURIComponent(kid))]);
  }

  static async start(): Promise<InstallKeys> {
    const keys = new InstallKeys(await startServer({ hostname: "127.0.0.1" }));
    await keys.rotate();
    return keys;
  }

  /** For CONNECT_KEYS_CDN_URL. */
  get url(): string {
    return this.server.url;
  }

  get behaviour(): Behaviour {
    return this.server.behaviour;
  }

  /** A new key signs from now on; the old ones stay published. */
  async rotate(): Promise<void> {
    this.#keys.set(randomUUID(), await createRsaKeyPair());
  }

  /** RS256, by the newest key. */
  async sign(claims: Claims, header: Claims = {}): Promise<string> {
    const [newest] = [...this.#keys].reverse();
    if (!newest) throw new Error("There is no key to sign with.");
    const [kid, { privateKey }] = newest;
    return signJwt({ kid, ...header }, claims, privateKey);
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  #publish(kid: string): Answer {
    const pem = this.#keys.get(kid)?.publicKey.export({ type: "spki", format: "pem" });
    return pem ? text(200, pem.toString()) : text(404, "Unknown key");
  }
}
