import { randomUUID, type KeyObject } from "node:crypto";

import { json, startServer, type Behaviour, type Server } from "./http-server.js";
import { createRsaKeyPair, signJwt, type Claims, type KeyPair } from "./jwt.js";

const SHARED = "/.well-known/jwks.json";

/** Forge's own signature under its invocation tokens, and the server that publishes the public keys. */
export class ForgeKeys {
  readonly server: Server;
  /** By kid; the newest is last. */
  readonly #keys = new Map<string, KeyPair>();
  /** Published beside the others, whatever it is: verifiers are to be tried with that. */
  readonly strangeKeys: unknown[] = [];

  private constructor(server: Server) {
    this.server = server;
    server.routes.push([
      "GET",
      /^\/(?:[\w-]+\/)?\.well-known\/jwks\.json$/,
      () => json(200, this.#publish()),
    ]);
  }

  static async start(): Promise<ForgeKeys> {
    const keys = new ForgeKeys(await startServer({ hostname: "127.0.0.1" }));
    await keys.rotate();
    return keys;
  }

  /** For FORGE_KEYS_URL. */
  get url(): string {
    return `${this.server.url}${SHARED}`;
  }

  /** For FORGE_ISOLATED_KEYS_URL. */
  get isolatedUrl(): string {
    return `${this.server.url}/{IC_LABEL}${SHARED}`;
  }

  get behaviour(): Behaviour {
    return this.server.behaviour;
  }

  /** A new key signs from now on; the old ones stay published. */
  async rotate(): Promise<void> {
    this.#keys.set(`forge/invocation-token/wf-${randomUUID()}`, await createRsaKeyPair());
  }

  /** The newest, for tokens that Forge wouldn't sign. */
  get signingKey(): { readonly kid: string; readonly key: KeyObject; readonly privateKey: KeyObject } {
    const [newest] = [...this.#keys].reverse();
    if (!newest) throw new Error("There is no key to sign with.");
    const [kid, { publicKey, privateKey }] = newest;
    return { kid, key: publicKey, privateKey };
  }

  /** RS256, by the newest key, with Forge's own header unless another is given. */
  async sign(claims: Claims, header: Claims = {}): Promise<string> {
    const { kid, privateKey } = this.signingKey;
    return signJwt({ kid, typ: undefined, ...header }, claims, privateKey);
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  #publish(): object {
    const keys = [...this.#keys].map(([kid, { publicKey }]) => ({
      ...publicKey.export({ format: "jwk" }),
      kid,
      alg: "RS256",
      use: "sig",
    }));
    return { keys: [...keys, ...this.strangeKeys] };
  }
}
