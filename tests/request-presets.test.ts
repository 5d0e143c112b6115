import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { REQUEST_PRESETS } from "../public/request-presets.js";
import { audienceOf } from "../sandbox/access-team.js";
import { GRACE } from "../sandbox/people.js";
import { documentOf, PROJECT } from "../sandbox/site-content.js";
import { SERVICES } from "../sandbox/world.js";
import { PRODUCTS, type Product } from "../src/tenants/tenant.js";
import { acting, GatewayWorld, type GatewayCall } from "./gateway.fixture.js";

interface Example extends Pick<GatewayCall, "path"> {
  readonly body?: object;
  /** What the product answers to it. */
  readonly answer: readonly [status: number, body: object];
}

const FIELDS = { project: { key: PROJECT.key }, summary: "Buy a watering can" };
const ISSUE = { key: "SAND-1", fields: { summary: "Water the plants" } };
const PAGE = { id: "101", title: "How we work" };

/** One call for each request of each preset. */
const EXAMPLES: Readonly<Record<Product, Readonly<Record<string, Example>>>> = {
  jira: {
    "GET /rest/api/3/search/jql": {
      path: `/rest/api/3/search/jql?${query({ jql: 'text ~ "plants"', fields: "summary" })}`,
      answer: [200, { issues: [ISSUE] }],
    },
    "GET /rest/api/3/issue/*": { path: "/rest/api/3/issue/SAND-1?fields=summary", answer: [200, ISSUE] },
    "GET /rest/api/3/issue/*/comment": {
      path: "/rest/api/3/issue/SAND-2/comment?maxResults=10",
      answer: [200, { total: 0, comments: [] }],
    },
    "POST /rest/api/3/issue/*/comment": {
      path: "/rest/api/3/issue/SAND-1/comment",
      body: { body: documentOf("Done.") },
      answer: [201, { author: { accountId: GRACE.accountId }, body: documentOf("Done.") }],
    },
    "POST /rest/api/3/issue": {
      path: "/rest/api/3/issue",
      body: { fields: FIELDS },
      answer: [201, { key: expect.stringMatching(/^SAND-\d+$/) as string }],
    },
  },
  confluence: {
    "GET /rest/api/search": {
      path: `/rest/api/search?${query({ cql: 'type = page AND text ~ "work"' })}`,
      answer: [200, { results: [{ title: PAGE.title, content: PAGE }], size: 1 }],
    },
    "GET /api/v2/pages": { path: "/api/v2/pages?limit=25", answer: [200, { results: [PAGE] }] },
    "GET /api/v2/pages/*": { path: "/api/v2/pages/101?body-format=storage", answer: [200, PAGE] },
  },
};

/** What lies beside, above and below what the presets allow. */
const OUTSIDE: Readonly<Record<Product, readonly string[]>> = {
  jira: [
    "GET /rest/api/3/myself",
    "GET /rest/api/3/issue",
    "GET /rest/api/2/issue/SAND-1",
    "GET /rest/api/3/issue/SAND-1/",
    "GET /rest/api/3/issue/SAND-1/changelog",
    "GET /rest/api/3/issue/SAND-1/comment/100001",
    "GET /rest/api/3/search",
    "POST /rest/api/3/search/jql",
    "POST /rest/api/3/issue/SAND-1",
    "POST /rest/api/3/issue/bulk",
    "PUT /rest/api/3/issue/SAND-1",
    "PUT /rest/api/3/issue/SAND-1/comment/100001",
    "DELETE /rest/api/3/issue/SAND-1",
    "DELETE /rest/api/3/issue/SAND-1/comment/100001",
    "HEAD /rest/api/3/issue/SAND-1",
  ],
  confluence: [
    "GET /rest/api/user/current",
    "GET /rest/api/content/101",
    "GET /rest/api/search/user",
    "GET /api/v2/pages/101/children",
    "GET /api/v2/spaces",
    "POST /api/v2/pages",
    "PUT /api/v2/pages/101",
    "DELETE /api/v2/pages/101",
    "HEAD /api/v2/pages/101",
  ],
};

const PRESETS = PRODUCTS.flatMap((product) =>
  REQUEST_PRESETS[product].map((preset) => ({ product, ...preset, requests: listRequests(preset.requests) })),
);

let scene: GatewayWorld;
beforeAll(async () => {
  scene = await GatewayWorld.start();
  for (const product of PRODUCTS) {
    const services = REQUEST_PRESETS[product].map(({ id, requests }) =>
      acting(id, { requests, consent: "given" }),
    );
    await scene.save(product, [SERVICES[0], ...services]);
  }
});
afterAll(() => scene.close());

it.each(PRODUCTS)("each request of the presets is tried here: %s", (product) => {
  const requests = PRESETS.filter((preset) => preset.product === product).flatMap((each) => each.requests);
  expect(Object.keys(EXAMPLES[product]).sort()).toEqual(requests.sort());
});

describe.each(PRESETS)("a service with $label alone", ({ id, product, requests }) => {
  const examples = Object.entries(EXAMPLES[product]);
  const call = async (method: string, { path = "/", body }: Partial<Example>) =>
    scene.call({
      audience: audienceOf(id),
      product,
      method,
      path,
      ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });

  it.each(examples.filter(([request]) => requests.includes(request)))(
    "gets the product's own answer to %s",
    async (request, example) => {
      const { status, headers, text } = await call(methodOf(request), example);

      expect([status, headers["x-gateway-upstream"]], text).toEqual([example.answer[0], product]);
      expect(JSON.parse(text)).toMatchObject(example.answer[1]);
    },
  );

  it("reaches the product with nothing else", async () => {
    const others = examples.filter(([request]) => !requests.includes(request));
    const outside = OUTSIDE[product].map((line) => [line, { path: line.split(" ")[1] ?? "" }] as const);
    const before = scene.productCalls();

    for (const [request, example] of [...others, ...outside]) {
      const { status, headers, text } = await call(methodOf(request), example);
      expect([status, headers["x-gateway-upstream"]], request).toEqual([403, undefined]);
      // A HEAD has no body.
      expect(text, request).toMatch(/"code":"request_not_allowed"|^$/);
    }

    expect(scene.productCalls()).toEqual(before);
  });
});

function listRequests(requests: (typeof REQUEST_PRESETS.jira)[number]["requests"]): string[] {
  return requests.flatMap(({ methods, path }) => methods.map((method) => `${method} ${path}`));
}

function methodOf(request: string): string {
  return request.split(" ")[0] ?? "";
}

function query(parameters: Readonly<Record<string, string>>): string {
  return new URLSearchParams(parameters).toString();
}
