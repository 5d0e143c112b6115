import type { IncomingMessage, ServerResponse } from "node:http";

import { jwtVerify } from "jose";

import type { Installation } from "../tenants/tenant-store.js";
import { hashCanonicalRequest } from "./canonical-request.js";
import { startHttpServer, type TestServer } from "./http-server.fixture.js";

export const APP_KEY = "access-for-atlassian-cloud";

interface SiteCall {
  readonly method: string;
  /** Path and query as they arrived. */
  readonly target: string;
  readonly body: string;
}

type SiteAnswer = (call: SiteCall, response: ServerResponse) => void;

export interface FakeSite extends TestServer {
  /** Calls whose JWT was right, in order. */
  readonly calls: SiteCall[];
  answer: SiteAnswer;
}

export function json(value: unknown, status = 200): SiteAnswer {
  return (_call, response) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** A product over loopback that, as Atlassian's do, answers 401 unless the call is signed by the app, for this URL. */
export async function startFakeSite(basePath: string, sharedSecret: string): Promise<FakeSite> {
  const calls: SiteCall[] = [];
  const server = await startHttpServer((request, response) => {
    void (async () => {
      const call = { method: request.method ?? "", target: request.url ?? "", body: await readBody(request) };
      if (!(await isSigned(call, request.headers.authorization ?? "", basePath, sharedSecret))) {
        response.writeHead(401).end();
        return;
      }
      calls.push(call);
      site.answer(call, response);
    })();
  });
  const site: FakeSite = { ...server, url: server.url + basePath, calls, answer: json({}, 404) };
  return site;
}

/** The installation with a site's address, as the app has it. */
export function installedAt(installation: Installation, site: FakeSite): Installation {
  return { ...installation, tenant: { ...installation.tenant, baseUrl: site.url } };
}

async function isSigned(
  call: SiteCall,
  authorization: string,
  basePath: string,
  sharedSecret: string,
): Promise<boolean> {
  try {
    const { payload } = await jwtVerify(
      authorization.replace(/^JWT /, ""),
      new TextEncoder().encode(sharedSecret),
      {
        algorithms: ["HS256"],
        issuer: APP_KEY,
        requiredClaims: ["exp", "iat"],
        maxTokenAge: "5m",
      },
    );
    return payload["qsh"] === hashCanonicalRequest({ ...call, basePath });
  } catch {
    return false;
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
