import { queryStringHash } from "../sandbox/jwt.js";
import { ADA } from "../sandbox/people.js";
import { describeQsh, parametersOf } from "../src/connect/request-meaning.fixture.js";
import { exchange, type RawAnswer } from "../src/web/raw-http.fixture.js";
import { HostileWorld } from "./hostile-input.fixture.js";

/** Who makes a `qsh`: the product, after Atlassian's description, or Atlassian's library for Node. */
export type Signer = "product" | "library";

/** One app whose pages are asked for byte by byte, as no client that tidies URLs up would. */
export class PagesWorld {
  readonly #hostile: HostileWorld;

  private constructor(hostile: HostileWorld) {
    this.#hostile = hostile;
  }

  static async start(basePath: string): Promise<PagesWorld> {
    return new PagesWorld(await HostileWorld.start(basePath));
  }

  async close(): Promise<void> {
    await this.#hostile.close();
  }

  get basePath(): string {
    return this.#hostile.basePath;
  }

  get origin(): string {
    return new URL(this.#hostile.appUrl).origin;
  }

  /** An admin's token for one request; `target` is as on the request line. */
  async sign(
    target: string,
    { method = "GET", signer = "product" }: { method?: string; signer?: Signer } = {},
  ): Promise<string> {
    const { appUrl, world } = this.#hostile;
    const qsh =
      signer === "product"
        ? describeQsh(method, target, this.basePath)
        : queryStringHash(method, `${this.origin}${target}`, appUrl);
    return world.site.urlBoundJwt("jira", ADA.accountId, method, appUrl, { claims: { qsh } });
  }

  /** Sends a request line as it stands. */
  async send(line: string, headers: readonly string[] = [], body = ""): Promise<RawAnswer> {
    const lines = [line, "Host: localhost", "Connection: close", ...headers, "", body];
    const answers = await exchange(
      this.#hostile.world.parts.app.port,
      Buffer.from(lines.join("\r\n"), "latin1"),
    );
    const [answer] = answers;
    if (!answer || answers.length > 1) throw new Error(`${answers.length} answers to ${line}`);
    return answer;
  }

  async get(target: string): Promise<RawAnswer> {
    return this.send(`GET ${target} HTTP/1.1`);
  }
}

/** What stands before and behind a token that is put among a query's parameters, so many of them before it. */
export function partsAround(query: string, place: number): { before: string; after: string } {
  const parameters = query === "" ? [] : query.split("&");
  const index = Math.min(place, parameters.length);
  return {
    before: [...parameters.slice(0, index), "jwt="].join("&"),
    after: ["", ...parameters.slice(index)].join("&"),
  };
}

export function tokensIn(target: string): string[] {
  return parametersOf(target).flatMap(([name, value]) => (name === "jwt" ? [value] : []));
}
