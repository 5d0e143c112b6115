import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { decodeJwt } from "jose";

import type { AccessTeam } from "./access-team.js";
import { listen, type Listening } from "./http-server.js";

/** A part of a host that Access protects. */
export interface ProtectedPath {
  readonly label: string;
  readonly audience: string;
  /** `/` for everything. */
  readonly pathPrefix: string;
  /** A path within that everybody reaches: a Bypass policy. */
  readonly bypassed?: string;
  /** The AUD tag of an application that may call this one for its visitors: a Service Auth policy for a linked app token. */
  readonly calledBy?: string;
}

interface Options {
  readonly team: AccessTeam;
  readonly applications: readonly ProtectedPath[];
  readonly port?: number;
}

/** Cloudflare in front of one origin: whatever is protected reaches it only with an Access JWT that was just checked. */
export class AccessEdge {
  /** Where requests go; 0, which answers nobody, until the origin listens. */
  originPort = 0;
  readonly #team: AccessTeam;
  readonly #applications: readonly ProtectedPath[];
  readonly #listening: Listening;

  private constructor(listening: Listening, { team, applications }: Options) {
    this.#listening = listening;
    this.#team = team;
    this.#applications = applications;
    for (const application of applications) team.register({ ...application, url: this.url });
  }

  static async start(options: Options): Promise<AccessEdge> {
    const listening = await listen((request, response) => edge.#answer(request, response), {
      port: options.port ?? 0,
    });
    const edge = new AccessEdge(listening, options);
    return edge;
  }

  get url(): string {
    return this.#listening.url;
  }

  async close(): Promise<void> {
    await this.#listening.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(`http://edge${request.url ?? "/"}`);
    if (url.pathname === "/cdn-cgi/access/authorized") return this.#finishLogin(url, response);
    if (url.pathname === "/cdn-cgi/access/logout") {
      this.#logOut(response);
      return;
    }
    const application = this.#applications.find(
      ({ pathPrefix, bypassed }) => url.pathname.startsWith(pathPrefix) && url.pathname !== bypassed,
    );
    const token = application ? await this.#findToken(request, application) : null;
    if (application && !token) this.#askToSignIn(request, response, application);
    else this.#forward(request, response, token, application ? this.#team.openerHeaders : {});
  }

  async #findToken(
    { headers }: IncomingMessage,
    { audience, calledBy }: ProtectedPath,
  ): Promise<string | null> {
    const machine = this.#team.serviceTokens.find(
      ({ clientId, clientSecret }) =>
        headers["cf-access-client-id"] === clientId && headers["cf-access-client-secret"] === clientSecret,
    );
    if (machine) return this.#team.signAccessJwt(machine, audience);
    // What `cloudflared access token` prints, or what another application got for its visitor.
    const brought = [headers["cf-access-token"] ?? []].flat()[0];
    const cookie = readCookies(headers.cookie).find(([name]) => name === cookieName(audience))?.[1];
    const own = brought ?? cookie;
    if (own && (await this.#team.accepts(own, audience))) return own;
    const isLinked = brought && calledBy && (await this.#team.accepts(brought, calledBy));
    return isLinked ? this.#signForSamePerson(brought, audience) : null;
  }

  async #signForSamePerson(accepted: string, audience: string): Promise<string | null> {
    const { sub, identity_nonce } = decodeJwt(accepted);
    const person = this.#team.people.find(({ accessSubject }) => accessSubject === sub);
    return person ? this.#team.signAccessJwt(person, audience, { claims: { identity_nonce } }) : null;
  }

  #askToSignIn(request: IncomingMessage, response: ServerResponse, { audience }: ProtectedPath): void {
    // A script can't follow a redirect to a login page: it gets a plain no.
    if (request.headers["x-requested-with"] === "XMLHttpRequest") {
      response.writeHead(401, this.#team.openerHeaders).end("Sign in first.");
      return;
    }
    const query = new URLSearchParams({ kid: audience, redirect_url: request.url ?? "/" });
    const { host } = new URL(this.url);
    response
      .writeHead(302, {
        ...this.#team.openerHeaders,
        location: `${this.#team.url}/cdn-cgi/access/login/${host}?${query.toString()}`,
      })
      .end();
  }

  /** Back from the login page: the token becomes a cookie of this application, and the browser goes where it wanted. */
  async #finishLogin(url: URL, response: ServerResponse): Promise<void> {
    const token = url.searchParams.get("token") ?? "";
    const wanted = url.searchParams.get("redirect_url") ?? "/";
    const [application] = await filterAsync(this.#applications, ({ audience }) =>
      this.#team.accepts(token, audience),
    );
    if (!application || !/^\/(?![/\\])/.test(wanted)) {
      response.writeHead(403).end("This isn't a login of one of the applications here.");
      return;
    }
    response
      .writeHead(302, {
        ...this.#team.openerHeaders,
        location: wanted,
        "set-cookie": `${cookieName(application.audience)}=${token}; Path=/; HttpOnly; SameSite=Lax`,
      })
      .end();
  }

  #logOut(response: ServerResponse): void {
    // Where the page that says goodbye leads back to: there has to be something at `/`.
    const home = this.#applications.find(({ pathPrefix }) => pathPrefix === "/");
    response
      .writeHead(302, {
        location: `${this.#team.url}/cdn-cgi/access/logout${home ? `?kid=${home.audience}` : ""}`,
        "set-cookie": this.#applications.map(({ audience }) => `${cookieName(audience)}=; Path=/; Max-Age=0`),
      })
      .end();
  }

  #forward(
    request: IncomingMessage,
    response: ServerResponse,
    token: string | null,
    answerHeaders: Readonly<Record<string, string>>,
  ): void {
    const clientAddress = request.socket.remoteAddress ?? "";
    const forwardedFor = [request.headers["x-forwarded-for"], clientAddress].filter(Boolean).join(", ");
    const upstream = http.request(
      {
        host: "127.0.0.1",
        port: this.originPort,
        method: request.method,
        path: request.url,
        agent: false,
        headers: {
          ...withoutCloudflare(request.headers),
          connection: "close",
          ...(token && { "cf-access-jwt-assertion": token }),
          "x-forwarded-for": forwardedFor,
          "x-forwarded-proto": "http",
          "cf-connecting-ip": clientAddress,
        },
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, {
          ...answer.headers,
          ...answerHeaders,
          connection: "close",
        });
        answer.pipe(response);
      },
    );
    upstream.on("error", () => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502, answerHeaders).end("The origin doesn't answer.");
    });
    response.on("close", () => upstream.destroy());
    request.pipe(upstream);
  }
}

/** Nobody but Cloudflare says `Cf-…` to the origin; and on loopback, where all ports share cookies, no token leaks. */
function withoutCloudflare({ cookie, ...headers }: IncomingHttpHeaders): IncomingHttpHeaders {
  const kept = Object.entries(headers).filter(([name]) => !name.startsWith("cf-"));
  const cookies = readCookies(cookie).filter(([name]) => !name.startsWith("CF_Authorization"));
  return {
    ...Object.fromEntries(kept),
    ...(cookies.length > 0 && { cookie: cookies.map((pair) => pair.join("=")).join("; ") }),
  };
}

function readCookies(header = ""): [name: string, value: string][] {
  return header
    .split(/; */)
    .filter(Boolean)
    .map((pair) => [pair.replace(/=.*/, ""), pair.replace(/^[^=]*=/, "")]);
}

function cookieName(audience: string): string {
  return `CF_Authorization_${audience.slice(0, 8)}`;
}

async function filterAsync<T>(items: readonly T[], test: (item: T) => Promise<boolean>): Promise<T[]> {
  const passed = await Promise.all(items.map(test));
  return items.filter((_, index) => passed[index]);
}
