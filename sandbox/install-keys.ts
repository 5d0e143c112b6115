import { randomUUID, type KeyObject } from "node:crypto";

import { startServer, text, type Answer, type Behaviour, type Server } from "./http-server.js";
import { createRsaKeyPair, signJwt, type Claims, type KeyPair } from "./jwt.js";

/** Atlassian's own signature under install events, and the server that publishes the public keys as `/<kid>`. */
export class InstallKeys {
  readonly server: Server;
  /** By kid; the newest is last. */
  readonly #keys = new Map<string, KeyPair>();
  /** Published under these names, whatever it is: verifiers are to be tried with that. */
  readonly strangeFiles = new Map<string, string>();

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

  /** The newest, for tokens that Atlassian wouldn't sign. */
  get signingKey(): { readonly kid: string; readonly key: KeyObject; readonly privateKey: KeyObject } {
    const [newest] = [...this.#keys].reverse();
    if (!newest) throw new Error("There is no key to sign with.");
    const [kid, { publicKey, privateKey }] = newest;
    return { kid, key: publicKey, privateKey };
  }

  /** RS256, by the newest key. */
  async sign(claims: Claims, header: Claims = {}): Promise<string> {
    const { kid, privateKey } = this.signingKey;
    return signJwt({ kid, ...header }, claims, privateKey);
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  #publish(kid: string): Answer {
    const pem = this.#keys.get(kid)?.publicKey.export({ type: "spki", format: "pem" });
    const file = this.strangeFiles.get(kid) ?? pem?.toString();
    return file === undefined ? text(404, "Unknown key") : text(200, file);
  }
}
