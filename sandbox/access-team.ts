import { createHash, randomBytes, type JsonWebKey, type KeyObject } from "node:crypto";
import { decodeJwt, jwtVerify, type JWTPayload } from "jose";

import { cardPage, loginPage, signedOutPage } from "./access-team-pages.js";
import {
  html,
  json,
  redirect,
  startServer,
  type Answer,
  type Behaviour,
  type Incoming,
  type Server,
} from "./http-server.js";
import { BrowserSessions } from "./browser-sessions.js";
import { createRsaKeyPair, epochSeconds, signJwt, type Claims, type KeyPair } from "./jwt.js";
import { NIGHTLY_BUILD, PEOPLE, type Person, type ServiceToken } from "./people.js";

/** Something that an Access team protects. */
export interface AccessApplication {
  readonly label: string;
  /** Its Application Audience (AUD) tag: 64 hex characters. */
  readonly audience: string;
  readonly url: string;
}

interface SigningKey extends KeyPair {
  readonly kid: string;
}

interface Options {
  readonly domain?: string;
  readonly port?: number;
  readonly people?: readonly Person[];
}

const SESSION_SECONDS = 24 * 60 * 60;

/** A Cloudflare Access team: its public keys, its login page and its signature under Access JWTs. */
export class AccessTeam {
  readonly server: Server;
  readonly domain: string;
  readonly people: readonly Person[];
  readonly serviceTokens: readonly ServiceToken[] = [NIGHTLY_BUILD];
  /** Whether signing in cuts a popup off from the window that opened it, as some identity providers do. */
  cutsOpeners = false;
  /** Published behind its own keys, whatever it is: verifiers are to be tried with that. */
  readonly strangeKeys: JsonWebKey[] = [];
  readonly #applications = new Map<string, AccessApplication>();
  readonly #sessions = new BrowserSessions();
  /** Newest first: that one signs. */
  #keys: readonly [SigningKey, ...SigningKey[]];

  private constructor(server: Server, keys: readonly [SigningKey, ...SigningKey[]], options: Options) {
    this.server = server;
    this.domain = options.domain ?? "acme.cloudflareaccess.com";
    this.people = options.people ?? PEOPLE.filter(({ accountType }) => accountType === "atlassian");
    this.#keys = keys;
    server.routes.push(
      ["GET", /^\/cdn-cgi\/access\/certs$/, () => this.#publishKeys()],
      ["GET", /^\/cdn-cgi\/access\/get-identity$/, (request) => this.#tellIdentity(request)],
      ["GET", /^\/cdn-cgi\/access\/login\/[^/]+$/, ({ url }) => this.#showLogin(url)],
      ["POST", /^\/cdn-cgi\/access\/login\/[^/]+$/, (request) => this.#logIn(request)],
      ["GET", /^\/cdn-cgi\/access\/logout$/, (request) => this.#logOut(request)],
    );
  }

  static async start(options: Options = {}): Promise<AccessTeam> {
    // By its address, so that it is another site than the app's `localhost` to a browser, as it is in real life.
    const server = await startServer({ port: options.port ?? 0, hostname: "127.0.0.1" });
    // Cloudflare always publishes two: the one that signs, and the one before.
    return new AccessTeam(server, [await createSigningKey(), await createSigningKey()], options);
  }

  get url(): string {
    return this.server.url;
  }

  get issuer(): string {
    return `https://${this.domain}`;
  }

  get behaviour(): Behaviour {
    return this.server.behaviour;
  }

  /** For tokens that no honest team signs. */
  get signingKey(): { readonly kid: string; readonly key: KeyObject; readonly privateKey: KeyObject } {
    const [{ kid, publicKey, privateKey }] = this.#keys;
    return { kid, key: publicKey, privateKey };
  }

  /** A new key signs from now on; the old ones are still published. */
  async rotateKeys(): Promise<void> {
    this.#keys = [await createSigningKey(), ...this.#keys];
  }

  /** Whatever the old keys have signed is worthless from now on. */
  dropOldKeys(): void {
    this.#keys = [this.#keys[0]];
  }

  /** Only registered applications get tokens from the login page. */
  register(application: AccessApplication): void {
    this.#applications.set(application.audience, application);
  }

  async signAccessJwt(
    holder: Person | ServiceToken,
    audience: string,
    { claims = {}, header = {} }: { claims?: Claims; header?: Claims } = {},
  ): Promise<string> {
    const [{ kid, privateKey }] = this.#keys;
    const now = epochSeconds();
    const common = { type: "app", aud: [audience], iat: now, exp: now + SESSION_SECONDS, iss: this.issuer };
    const own =
      "clientId" in holder
        ? { common_name: holder.clientId, sub: "" }
        : {
            email: holder.email,
            sub: holder.accessSubject,
            nbf: now,
            identity_nonce: randomBytes(12).toString("base64url"),
            country: "US",
          };
    return signJwt({ kid, ...header }, { ...common, ...own, ...claims }, privateKey);
  }

  /** Whether Cloudflare's edge would let this token through to the application. */
  async accepts(token: string, audience: string): Promise<boolean> {
    return (await this.#findLiveSession(token, { audience })) !== null;
  }

  /** As when an admin revokes it: the token stays well signed, and is worth nothing to whoever asks the team. */
  endSession(accessJwt: string): void {
    this.#sessions.endNonce(decodeJwt(accessJwt)["identity_nonce"]);
  }

  /** On every page between a popup's start and its end. */
  get openerHeaders(): Readonly<Record<string, string>> {
    return this.cutsOpeners ? { "cross-origin-opener-policy": "same-origin" } : {};
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  #publishKeys(): Answer {
    // In `public_cert` Cloudflare has X.509 certificates; `keys` is what verifiers are told to use.
    const certificates = this.#keys.map(({ kid, publicKey }) => ({
      kid,
      cert: publicKey.export({ type: "spki", format: "pem" }),
    }));
    return json(200, {
      keys: [
        ...this.#keys.map(({ kid, publicKey }) => ({
          ...publicKey.export({ format: "jwk" }),
          kid,
          alg: "RS256",
          use: "sig",
        })),
        ...this.strangeKeys,
      ],
      public_cert: certificates[0],
      public_certs: certificates,
    });
  }

  async #findLiveSession(token: string, wanted: { readonly audience?: string }): Promise<JWTPayload | null> {
    const findKey = ({ kid }: { kid?: string }) => {
      const key = this.#keys.find((candidate) => candidate.kid === kid);
      if (!key) throw new Error("No published key has this kid.");
      return key.publicKey;
    };
    const options = { algorithms: ["RS256"], issuer: this.issuer, ...wanted };
    const payload = await jwtVerify(token, findKey, options).then(
      (verified) => verified.payload,
      () => null,
    );
    return payload && !this.#sessions.hasEnded(payload["identity_nonce"]) ? payload : null;
  }

  /** Whose session a token was made in, for as long as that lasts. */
  async #tellIdentity({ headers }: Incoming): Promise<Answer> {
    const token = /(?:^|; *)CF_Authorization=([^;]+)/.exec(headers.cookie ?? "")?.[1];
    if (token === undefined) return json(400, { err: "no app token set" });
    const session = await this.#findLiveSession(token, {});
    if (!session) return json(401, { err: "unable to find identity" });
    const { email, sub } = session;
    return json(200, { id: sub, email, user_uuid: sub, idp: { type: "onetimepin" }, account_id: "acme" });
  }

  #showLogin(url: URL): Answer {
    const application = this.#findApplication(url);
    const page = application
      ? html(200, loginPage(application, this.people, this.domain))
      : html(404, cardPage("Unknown application", "<p>Nothing here has this AUD tag.</p>"));
    return { ...page, headers: { ...page.headers, ...this.openerHeaders } };
  }

  async #logIn({ url, body, headers }: Incoming): Promise<Answer> {
    const application = this.#findApplication(url);
    const email = new URLSearchParams(body).get("email");
    const person = this.people.find((candidate) => candidate.email === email);
    if (!application || !person)
      return html(403, cardPage("That account has no access", "<p>Choose another.</p>"));
    const { nonce, cookie } = this.#sessions.add(headers.cookie);
    const query = new URLSearchParams({
      token: await this.signAccessJwt(person, application.audience, { claims: { identity_nonce: nonce } }),
      redirect_url: url.searchParams.get("redirect_url") ?? "/",
    });
    return redirect(`${application.url}/cdn-cgi/access/authorized?${query.toString()}`, {
      ...this.openerHeaders,
      "set-cookie": cookie,
    });
  }

  /** Out of every application that this browser is signed in to: each sends it here to say goodbye. */
  #logOut({ url, headers }: Incoming): Answer {
    this.#sessions.end(headers.cookie);
    return html(200, signedOutPage(this.#findApplication(url)));
  }

  #findApplication(url: URL): AccessApplication | undefined {
    return this.#applications.get(url.searchParams.get("kid") ?? "");
  }
}

/** A made-up AUD tag; the same name gives the same one. */
export function audienceOf(name: string): string {
  return createHash("sha256").update(name).digest("hex");
}

async function createSigningKey(): Promise<SigningKey> {
  return { kid: randomBytes(32).toString("hex"), ...(await createRsaKeyPair()) };
}
