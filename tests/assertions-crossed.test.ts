import { decodeProtectedHeader } from "jose";
import { beforeAll, describe, expect, it } from "vitest";

import type { Reply } from "../sandbox/http-client.js";
import { GRACE } from "../sandbox/people.js";
import { SERVICES } from "../sandbox/world.js";
import type { ProblemCode } from "../src/errors.js";
import { acting } from "./gateway.fixture.js";
import { getAssertion, issuerOf, PLANNER, startAsserting, verify } from "./assertions.fixture.js";
import type { Scene } from "./linking-scene.fixture.js";
import { expectProblem } from "./refusals.fixture.js";
import { useLinkingWorld } from "./use-linking-world.fixture.js";

const running = useLinkingWorld();

let scene: Scene;
let assertion: string;

/** The planner may do everything that there is to do with an Access JWT, so that nothing but the token is wrong. */
beforeAll(async () => {
  const everything = acting(PLANNER.label, {
    requests: [{ methods: ["GET"], path: "/**" }],
    consent: "given",
  });
  const services = [SERVICES[0], { ...everything, purposes: ["identify", "act", "assert"] as const }];
  scene = await startAsserting(running, { settings: { services } });
  assertion = await getAssertion(scene);
});

async function send(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: unknown,
): Promise<Reply> {
  const { world } = scene;
  const sent = { accept: "application/json", ...headers };
  const call = { caller: "A caller", method, url: `${world.appUrl}${path}`, headers: sent };
  return world.parts.client.send({ ...call, ...(body !== undefined && { body }) });
}

const asBearer = () => ({ authorization: `Bearer ${assertion}` });
const asAssertion = () => ({ "cf-access-jwt-assertion": assertion });
const asConnect = () => ({ authorization: `JWT ${assertion}` });
const sites = (rest: string) => `/api/v1/sites/${scene.site.host}/${rest}`;

describe("the app itself takes no assertion", () => {
  it.each<[where: string, code: ProblemCode, ask: () => Promise<Reply>]>([
    ["to identify a visitor", "access_jwt_untrusted", () => send("GET", sites("identity"), asBearer())],
    [
      "to identify a visitor, in Cloudflare's header",
      "access_jwt_untrusted",
      () => send("GET", sites("identity"), asAssertion()),
    ],
    [
      "to act as its person",
      "access_jwt_untrusted",
      () => send("GET", sites("jira/rest/api/3/myself"), asBearer()),
    ],
    [
      "in the linking window",
      "access_jwt_untrusted",
      async () => {
        const { id } = await scene.page(GRACE).beginLink();
        return send("GET", `/access/link/${id}`, asAssertion());
      },
    ],
    [
      "to link",
      "access_jwt_untrusted",
      () => scene.page(GRACE).send("POST", "/api/v1/me/links", { accessJwt: assertion }),
    ],
    ["as a context JWT", "connect_jwt_invalid", () => send("GET", "/api/v1/me", asConnect())],
    ["as an admin's context JWT", "connect_jwt_invalid", () => send("GET", "/api/v1/settings", asConnect())],
    [
      "for another assertion",
      "connect_jwt_invalid",
      () => send("POST", "/api/v1/me/assertions", asConnect(), { serviceId: "x" }),
    ],
    ["to open a page", "connect_jwt_invalid", () => send("GET", `/account?jwt=${assertion}`, {})],
    ["to install itself", "connect_jwt_invalid", () => send("POST", "/installed", asConnect(), {})],
    ["to be switched off", "connect_jwt_invalid", () => send("POST", "/disabled", asConnect(), {})],
  ])("%s: %s", async (_where, code, ask) => {
    expectProblem(await ask(), code, scene.world.appUrl);
  });
});

describe("a service that pins type, issuer and audience takes nothing else for an assertion:", () => {
  it.each<[what: string, make: () => Promise<string>]>([
    ["an Access JWT", () => scene.world.team.signAccessJwt(GRACE, PLANNER.audience)],
    ["an Access JWT of the linking window", () => scene.accessJwtOf(GRACE)],
    ["a context JWT", () => scene.site.contextJwt("jira", GRACE.accountId)],
    [
      "a URL-bound JWT",
      () => scene.site.urlBoundJwt("jira", GRACE.accountId, "GET", `${scene.world.appUrl}/account`),
    ],
    [
      "the token of an install event",
      () => {
        const { clientKey } = scene.site.getInstallation("jira");
        return scene.world.parts.installKeys.sign({ iss: clientKey, aud: [PLANNER.audience] });
      },
    ],
  ])("%s", async (_what, make) => {
    const token = await make();
    expect(decodeProtectedHeader(token).typ).not.toBe("assertion+jwt");
    const pinned = { issuer: issuerOf(scene), audience: PLANNER.audience };
    await verify(assertion, pinned);
    await expect(verify(token, pinned)).rejects.toMatchObject({ code: "ERR_JOSE_ALG_NOT_ALLOWED" });
  });
});
