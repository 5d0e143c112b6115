import type { HttpClient, Reply } from "./http-client.js";
import type { Person } from "./people.js";

interface Options {
  readonly client: HttpClient;
  /** Whose browser it is, for the transcript. */
  readonly name: string;
  /** Sent with every request, as a proxy in front of the app might add them. */
  readonly headers?: Readonly<Record<string, string>>;
}

interface Navigation {
  readonly method: string;
  readonly body?: URLSearchParams;
  readonly accept?: string;
  /** Origin of the page that leads there; null when somebody typed the address. */
  readonly from: string | null;
}

/** As much of a browser as signing in and linking needs: cookies, redirects, forms, and the Sec-Fetch headers. */
export class Browser {
  readonly #client: HttpClient;
  readonly #name: string;
  readonly #headers: Readonly<Record<string, string>>;
  /** By host name: a browser doesn't keep the cookies of different ports apart. */
  readonly #cookies = new Map<string, Map<string, string>>();
  #page: Reply | null = null;

  constructor({ client, name, headers = {} }: Options) {
    this.#client = client;
    this.#name = name;
    this.#headers = headers;
  }

  /** What it shows now. */
  get page(): Reply {
    if (!this.#page) throw new Error("The browser hasn't opened anything yet.");
    return this.#page;
  }

  async open(url: string, from: string | null = null): Promise<Reply> {
    return this.#navigate(url, { method: "GET", from });
  }

  /** Submits a form of the page that is shown to the page's own URL. */
  async submit(fields: Readonly<Record<string, string>>, accept?: string): Promise<Reply> {
    const { url } = this.page.call;
    return this.#navigate(url, {
      method: "POST",
      body: new URLSearchParams(fields),
      from: new URL(url).origin,
      ...(accept && { accept }),
    });
  }

  /** Chooses a person if the page that is shown is an Access login. */
  async signInIfAsked(person: Person): Promise<Reply> {
    const { url } = this.page.call;
    return url.includes("/cdn-cgi/access/login/") ? this.submit({ email: person.email }) : this.page;
  }

  async #navigate(url: string, navigation: Navigation, visited: readonly string[] = []): Promise<Reply> {
    if (visited.length > 10) throw new Error(`Too many redirects, the last to ${url}`);
    const { method, body, accept = "text/html", from } = navigation;
    const reply = await this.#client.send({
      caller: this.#name,
      method,
      url,
      headers: {
        accept,
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
        "sec-fetch-site": relationOf(from, [...visited, url]),
        ...(method === "POST" && from && { origin: from }),
        cookie: this.#cookieHeader(url),
        ...this.#headers,
      },
      ...(body && { body }),
    });
    this.#keepCookies(url, reply.headers["set-cookie"] ?? []);
    this.#page = reply;
    const { location } = reply.headers;
    if (!location || ![301, 302, 303].includes(reply.status)) return reply;
    const next = { method: "GET", from, ...(navigation.accept && { accept: navigation.accept }) };
    return this.#navigate(new URL(location, url).href, next, [...visited, url]);
  }

  #cookieHeader(url: string): string | undefined {
    const cookies = [...(this.#cookies.get(new URL(url).hostname) ?? [])];
    return cookies.map((pair) => pair.join("=")).join("; ") || undefined;
  }

  #keepCookies(url: string, headers: readonly string[]): void {
    const { hostname } = new URL(url);
    const cookies = this.#cookies.get(hostname) ?? new Map<string, string>();
    this.#cookies.set(hostname, cookies);
    for (const header of headers) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(header) ?? [];
      if (/;\s*max-age=0/i.test(header)) cookies.delete(name);
      else cookies.set(name, value);
    }
  }
}

/** Sec-Fetch-Site of a request (W3C Fetch Metadata §2.3): the farthest hop of a chain of redirects decides. */
function relationOf(from: string | null, urls: readonly string[]): string {
  if (from === null) return "none";
  const origins = urls.map((url) => new URL(url));
  if (origins.every(({ origin }) => origin === from)) return "same-origin";
  const { hostname } = new URL(from);
  return origins.every((url) => url.hostname === hostname) ? "same-site" : "cross-site";
}
