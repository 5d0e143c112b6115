import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline } from "node:stream";

import { listen, startServer, type Server } from "./http-server.js";

export type RawListener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * A server that answers by a table of routes, as ever, but leaves every path below `prefix` to a plain listener: the table
 * reads bodies to their end, and what is to be seen there is how they flow.
 */
export async function startServerWithRawPaths(prefix: string, listener: RawListener): Promise<Server> {
  const inner = await startServer();
  const front = await listen((request, response) => {
    if (request.url?.startsWith(prefix)) listener(request, response);
    else passOn(inner.port, request, response);
    return Promise.resolve();
  }, {});
  return {
    ...inner,
    url: front.url,
    port: front.port,
    close: async () => {
      await front.close();
      await inner.close();
    },
  };
}

function passOn(port: number, request: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = request;
  const onward = http.request({ host: "127.0.0.1", port, method, path: url, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    pipeline(answer, response, () => undefined);
  });
  onward.on("error", () => response.destroy());
  pipeline(request, onward, () => undefined);
}
