import type { IncomingMessage, ServerResponse } from "node:http";

import { startHttpServer, type TestServer } from "../connect/http-server.fixture.js";
import { buildInstallation } from "../connect/installation.fixture.js";
import { AppError } from "../errors.js";
import { createAnswerHeaders } from "../gateway/answer-headers.js";
import { selectRequestHeaders } from "../gateway/header-policy.js";
import { abortWhenGone, openRequestBody } from "../web/request-stream.js";
import { relayAnswer } from "../web/relay-answer.js";
import { ProductStream, type ProductStreamLimits } from "./product-stream.js";

interface ProxyOptions {
  readonly limits?: Partial<ProductStreamLimits>;
  readonly uploadIdleMs?: number;
  readonly stallMs?: number;
}

export interface GatewayProxy extends TestServer {
  /** What callers couldn't be given an answer because of. */
  readonly failures: unknown[];
  /** How many requests are over, in whichever way. */
  doneCount: number;
}

/** The streaming half of the gateway, without anybody who asks what is allowed. */
export async function startGatewayProxy(
  productUrl: string,
  options: ProxyOptions = {},
): Promise<GatewayProxy> {
  const products = new ProductStream(options.limits);
  const { tenant } = buildInstallation({ tenant: { baseUrl: productUrl } });

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const [path = "", query = null] = (req.url ?? "").split(/\?(.*)/s);
    const target = { product: tenant.product, path, query };
    const signal = abortWhenGone(res);
    const answer = await products.send({
      tenant,
      caller: { serviceId: "service-1", accountId: "grace" },
      target,
      method: req.method ?? "",
      headers: selectRequestHeaders(req.headers),
      token: "the-token",
      body: openRequestBody(req, options.uploadIdleMs),
      signal,
      onSending: () => undefined,
    });
    const productUrls = [productUrl] as const;
    const context = { target, productUrls, gatewayUrl: "https://app.example.com/gateway" };
    const headers = createAnswerHeaders(answer.headers, context);
    await relayAnswer(req, res, { ...answer, headers }, signal, options.stallMs);
  }

  const server = await startHttpServer((req, res) => {
    handle(req, res)
      .catch((error: unknown) => {
        proxy.failures.push(error);
        if (res.headersSent) res.destroy();
        else res.writeHead(error instanceof AppError ? error.status : 500, { connection: "close" }).end();
      })
      .finally(() => (proxy.doneCount += 1));
  });
  const proxy: GatewayProxy = {
    ...server,
    failures: [],
    doneCount: 0,
    close: async () => {
      await products.close();
      await server.close();
    },
  };
  return proxy;
}
