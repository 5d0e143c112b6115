import { randomBytes } from "node:crypto";

const COOKIE = "CF_Session";

/**
 * Which tokens a browser got from the login page. The team can't take the applications' cookies away, which are of other
 * hosts: it remembers which tokens no longer count, as Cloudflare's edge does.
 */
export class BrowserSessions {
  /** By session: the `identity_nonce` of each token. */
  readonly #nonces = new Map<string, string[]>();
  readonly #ended = new Set<unknown>();

  /** For one more token of the browser that has this cookie, or of a new one. */
  add(cookieHeader: string | undefined): { readonly nonce: string; readonly cookie: string } {
    const nonce = randomBytes(12).toString("base64url");
    const session = findSession(cookieHeader) ?? randomBytes(18).toString("base64url");
    this.#nonces.set(session, [...(this.#nonces.get(session) ?? []), nonce]);
    return { nonce, cookie: `${COOKIE}=${session}; Path=/; HttpOnly; SameSite=Lax` };
  }

  end(cookieHeader: string | undefined): void {
    const session = findSession(cookieHeader) ?? "";
    for (const nonce of this.#nonces.get(session) ?? []) this.#ended.add(nonce);
    this.#nonces.delete(session);
  }

  /** Of one token alone, in whatever browser it is. */
  endNonce(nonce: unknown): void {
    this.#ended.add(nonce);
  }

  hasEnded(nonce: unknown): boolean {
    return this.#ended.has(nonce);
  }
}

function findSession(header = ""): string | undefined {
  return new RegExp(`(?:^|; *)${COOKIE}=([^;]+)`).exec(header)?.[1];
}
