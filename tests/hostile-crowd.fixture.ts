import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { epochSeconds, queryStringHash } from "../sandbox/jwt.js";
import type { World } from "../sandbox/world.js";

/** What somebody who watches the app can know of it. */
export interface Target {
  readonly appUrl: string;
  readonly clientKey: string;
  readonly issuer: string;
  /** The key id under which the trusted team signs. */
  readonly kid: string;
  readonly site: string;
}

export async function findTarget({ appUrl, site, team }: World): Promise<Target> {
  const { keys } = (await (await fetch(`${team.url}/cdn-cgi/access/certs`)).json()) as {
    keys: readonly { readonly kid: string }[];
  };
  const { clientKey } = site.getInstallation("jira");
  return { appUrl, clientKey, issuer: team.issuer, kid: keys[0]?.kid ?? "", site: site.host };
}

/** Bytes that nobody honest sends, different each time. */
type Kind = (target: Target) => string;

const KINDS: Readonly<Record<string, Kind>> = {
  "a random path": () => send("GET", `/${word()}/${word()}?${word()}=${word()}`),
  "a random path, for a page": () => send("GET", `/${word()}`, ["Accept: text/html"]),
  "a random method": () => send(pick(["DELETE", "PATCH", "PURGE", "REPORT", "LINK"]), `/${word()}`),
  "a context JWT of an unknown tenant": () => send("GET", "/api/v1/me", [connectJwt({ iss: word() })]),
  "a context JWT with a wrong signature": ({ clientKey }) =>
    send("GET", pick(["/api/v1/settings", "/api/v1/links", "/api/v1/audit"]), [
      connectJwt({ iss: clientKey }),
    ]),
  "a URL-bound JWT with a wrong hash": ({ clientKey }) =>
    send(
      "GET",
      `/admin?jwt=${jwt({ alg: "HS256" }, { ...connectClaims(clientKey), qsh: word() })}&${word()}`,
    ),
  "an install event of an unknown key": ({ appUrl }) =>
    send("POST", "/installed", [JSON_TYPE, installJwt(appUrl)], `{"clientKey":"${word()}"}`),
  "an install event of nobody": () => send("POST", "/installed", [JSON_TYPE], `{"clientKey":"${word()}"}`),
  "malformed JSON": () => send("POST", "/installed", [JSON_TYPE], `{"${word()}":`),
  "deep JSON": () => send("POST", "/installed", [JSON_TYPE], "[".repeat(randomInt(100, 20_000))),
  "nested JSON": () => send("POST", "/installed", [JSON_TYPE], nested(randomInt(33, 5000))),
  "a body that is too large": () =>
    send("POST", "/installed", [JSON_TYPE, `Content-Length: ${randomInt(65_537, 2 ** 40)}`]),
  "an Access JWT of a made-up team": ({ site }) =>
    send("GET", `/api/v1/sites/${site}/identity`, [
      accessJwt(`https://${word()}.cloudflareaccess.com`, word()),
    ]),
  "an Access JWT of a made-up issuer": ({ site }) =>
    send("GET", `/api/v1/sites/${site}/identity`, [accessJwt(`https://${word()}.example`, word())]),
  "an Access JWT with a made-up kid": ({ site, issuer }) =>
    send("GET", `/api/v1/sites/${site}/identity`, [accessJwt(issuer, word())]),
  "an Access JWT with a wrong signature": ({ site, issuer, kid }) =>
    send("GET", `/api/v1/sites/${site}/identity?audience=${hex(32)}`, [accessJwt(issuer, kid)]),
  "an Access JWT for a random site": ({ issuer, kid }) =>
    send("GET", `/api/v1/sites/${word()}.atlassian.net/identity`, [accessJwt(issuer, kid)]),
  "no token at all": () => send("GET", `/api/v1/sites/${word()}/identity?product=${word()}`),
  "two tokens": () =>
    send("GET", "/api/v1/sites/x/identity", [`Authorization: Bearer ${word()}`, accessJwt("x", "y")]),
  "a random attempt's beginning": () => send("GET", `/link/start/${word()}`, ["Sec-Fetch-Site: same-origin"]),
  "a random attempt's window": ({ issuer, kid }) =>
    send("GET", `/access/link/${word()}`, [
      accessJwt(issuer, kid),
      `Cookie: __Host-link-${word()}=${word()}`,
    ]),
  "a click in a random attempt's window": ({ appUrl, issuer, kid }) =>
    send("POST", `/access/link/${word()}`, [`Origin: ${appUrl}`, accessJwt(issuer, kid)]),
  "a guess at the operator's token": () => send("GET", "/metrics", [`Authorization: Bearer ${word()}`]),
  "hundreds of headers": () =>
    send(
      "GET",
      "/openapi.json/",
      Array.from({ length: 300 }, () => `X-${hex(4)}: ${hex(4)}`),
    ),
  "headers that are too large": () => send("GET", "/", [`X-${word()}: ${hex(9000)}`]),
  "a damaged request line": () => `${word()} ${word()}\r\n\r\n`,
  "bytes that aren't HTTP": () => `${randomBytes(60).toString("latin1")}\r\n\r\n`,
};

const JSON_TYPE = "Content-Type: application/json";

const NOT_FOUND = [404];
const UNREADABLE = [400];
/** Where keys are fetched, a machine that is busy with all the rest may be too slow for them. */
const UNTRUSTED_OR_UNKNOWN = [401, 503];

const STATUSES: Readonly<Record<string, readonly number[]>> = {
  "a random path": NOT_FOUND,
  "a random path, for a page": NOT_FOUND,
  "a random method": NOT_FOUND,
  "hundreds of headers": NOT_FOUND,
  "malformed JSON": UNREADABLE,
  "deep JSON": UNREADABLE,
  "nested JSON": UNREADABLE,
  "two tokens": UNREADABLE,
  "a damaged request line": UNREADABLE,
  "bytes that aren't HTTP": UNREADABLE,
  "a body that is too large": [413],
  "headers that are too large": [431],
  "a random attempt's beginning": [410],
  "an install event of an unknown key": UNTRUSTED_OR_UNKNOWN,
  "an Access JWT with a made-up kid": UNTRUSTED_OR_UNKNOWN,
};

/** What a request of a kind may be answered with: nobody sends so much that a limit is reached. */
export function expectedStatuses(kind: string): readonly number[] {
  return STATUSES[kind] ?? [401];
}

export interface Flood {
  readonly seconds: number;
  /** How often which status was answered, of each kind. */
  readonly answers: Readonly<Record<string, Readonly<Record<number, number>>>>;
}

/** Sends that many requests, of every kind in turn, each from another address, over connections that stay open. */
export async function flood(
  port: number,
  target: Target,
  requests: number,
  connections = 40,
): Promise<Flood> {
  const startedMs = performance.now();
  const kinds = Object.entries(KINDS);
  const answers: Record<string, Record<number, number>> = {};
  let sent = 0;
  const sendUntilDone = async () => {
    let connection = await Connection.open(port);
    while (sent < requests) {
      const [name, make] = kinds[sent % kinds.length] ?? [];
      if (name === undefined || make === undefined) throw new Error("There are no kinds.");
      sent += 1;
      if (!connection.isOpen) connection = await Connection.open(port);
      const status = await connection.exchange(make(target));
      const ofKind = (answers[name] ??= {});
      ofKind[status] = (ofKind[status] ?? 0) + 1;
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: connections }, sendUntilDone));
  return { seconds: (performance.now() - startedMs) / 1000, answers };
}

/** As fast as it can be: an HTTP client of Node's would be slower than the app. */
class Connection {
  readonly #socket: Socket;
  #received = "";
  #arrived: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1").setNoDelay(true);
    socket.on("data", (text: string) => {
      this.#received += text;
      this.#arrived();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => this.#arrived());
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ port, host: "127.0.0.1" });
    await once(socket, "connect");
    return new Connection(socket);
  }

  get isOpen(): boolean {
    return this.#socket.writable;
  }

  /** The status of the answer; 0 when the connection ended without one. */
  async exchange(bytes: string): Promise<number> {
    this.#received = "";
    this.#socket.write(bytes, "latin1");
    while (!isComplete(this.#received) && !this.#socket.destroyed) {
      await new Promise<void>((resolve) => (this.#arrived = resolve));
    }
    if (/^connection: close/im.test(this.#received)) this.close();
    return Number(this.#received.split(" ", 2)[1] ?? 0);
  }

  close(): void {
    this.#socket.destroy();
  }
}

function isComplete(received: string): boolean {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const length = /^content-length: (\d+)/im.exec(received.slice(0, headEnd))?.[1];
  return received.length >= headEnd + 4 + Number(length ?? 0);
}

function send(method: string, path: string, headers: readonly string[] = [], body = ""): string {
  const hasLength = headers.some((header) => header.startsWith("Content-Length"));
  return [
    `${method} ${path} HTTP/1.1`,
    "Host: localhost",
    `X-Forwarded-For: ${address()}`,
    ...headers,
    ...(hasLength || body === "" ? [] : [`Content-Length: ${body.length}`]),
    "",
    body,
  ].join("\r\n");
}

function address(): string {
  return randomInt(2) === 0 ? [...randomBytes(4)].join(".") : `2001:db8:${hex(2)}:${hex(2)}::${hex(2)}`;
}

function connectJwt(claims: object): string {
  const payload = { ...connectClaims(""), qsh: "context-qsh", ...claims };
  return `Authorization: JWT ${jwt({ alg: "HS256" }, payload)}`;
}

function connectClaims(clientKey: string): object {
  return { iss: clientKey, sub: word(), iat: epochSeconds(), exp: epochSeconds() + 180 };
}

function installJwt(appUrl: string): string {
  const qsh = queryStringHash("POST", `${appUrl}/installed`, appUrl);
  return `Authorization: JWT ${jwt({ alg: "RS256", kid: word() }, { ...connectClaims(word()), aud: appUrl, qsh })}`;
}

function accessJwt(iss: string, kid: string): string {
  const times = { iat: epochSeconds(), nbf: epochSeconds(), exp: epochSeconds() + 3600 };
  const claims = { iss, ...times, sub: word(), email: `${word()}@acme.example`, aud: [hex(32)], type: "app" };
  return `Cf-Access-Jwt-Assertion: ${jwt({ alg: "RS256", kid }, claims)}`;
}

function jwt(header: { readonly alg: string; readonly kid?: string }, claims: object): string {
  const signature = randomBytes(header.alg === "RS256" ? 256 : 32);
  const parts = [JSON.stringify(header), JSON.stringify(claims), signature];
  return parts.map((part) => Buffer.from(part).toString("base64url")).join(".");
}

function nested(depth: number): string {
  return `${'{"x":'.repeat(depth)}1${"}".repeat(depth)}`;
}

function word(): string {
  return randomBytes(12).toString("base64url");
}

function hex(bytes: number): string {
  return randomBytes(bytes).toString("hex");
}

function pick<T>(choices: readonly [T, ...T[]]): T {
  return choices[randomInt(choices.length)] ?? choices[0];
}
