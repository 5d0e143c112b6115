import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent } from "undici";

/**
 * What the gateway is measured against: passes calls on to the upstream named on the command line and streams both bodies,
 * with the same libraries, and looks at nothing.
 */
const [, , upstream = ""] = process.argv;
const agent = new Agent({ connections: 256, pipelining: 1 });

async function passOn(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const hasBody =
    req.headers["content-length"] !== undefined || req.headers["transfer-encoding"] !== undefined;
  const answer = await agent.request({
    origin: upstream,
    path: req.url ?? "/",
    method: req.method as "GET",
    headers: select(req.headers),
    body: hasBody ? req : null,
  });
  res.writeHead(answer.statusCode, select(answer.headers));
  answer.body.pipe(res);
}

const NOT_PASSED_ON = new Set(["host", "connection", "keep-alive", "transfer-encoding"]);

function select<T>(headers: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_PASSED_ON.has(name)));
}

const server = createServer((req, res) => {
  passOn(req, res).catch(() => res.destroy());
});
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
