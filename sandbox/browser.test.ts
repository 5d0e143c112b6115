import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

import { Browser } from "./browser.js";
import { HttpClient } from "./http-client.js";
import { html, redirect, startServer, type Incoming, type Server } from "./http-server.js";

let here: Server;
let there: Server;
let browser: Browser;

beforeAll(async () => {
  here = await startServer({ hostname: "localhost" });
  there = await startServer({ hostname: "127.0.0.1" });
  const echo = ({ headers, body }: Incoming) => html(200, JSON.stringify({ ...headers, body }));
  for (const server of [here, there])
    server.routes.push(["GET", /^\/echo$/, echo], ["POST", /^\/echo$/, echo]);
  here.routes.push(
    ["GET", /^\/away$/, () => redirect(`${there.url}/back`)],
    ["GET", /^\/set$/, () => redirect("/echo", { "set-cookie": ["a=1; HttpOnly", "b=2", "c=3=3; Path=/"] })],
    ["GET", /^\/unset$/, () => redirect("/echo", { "set-cookie": "a=; Max-Age=0" })],
  );
  there.routes.push(["GET", /^\/back$/, () => redirect(`${here.url}/echo`)]);
});
afterAll(async () => {
  await Promise.all([here.close(), there.close()]);
});
beforeEach(() => {
  browser = new Browser({ client: new HttpClient(), name: "test" });
});

function echoed(): Record<string, string> {
  return JSON.parse(browser.page.text) as Record<string, string>;
}

it.each([
  ["an address somebody typed", "/echo", () => null, "none"],
  ["a page of the same origin", "/echo", () => here.url, "same-origin"],
  ["a page at another port", "/echo", () => here.url.replace(/\d+$/, "1"), "same-site"],
  ["a page of another site", "/echo", () => there.url, "cross-site"],
  ["a page of the same origin, by way of another site", "/away", () => here.url, "cross-site"],
])("says that it comes from %s", async (_name, path, from, relation) => {
  await browser.open(`${here.url}${path}`, from());
  expect(echoed()).toMatchObject({ "sec-fetch-site": relation, "sec-fetch-mode": "navigate" });
});

it("keeps cookies by host, until they are taken away", async () => {
  await browser.open(`${here.url}/set`);
  expect(echoed()["cookie"]).toBe("a=1; b=2; c=3=3");
  await browser.open(`${there.url}/echo`);
  expect(echoed()).not.toHaveProperty("cookie");
  await browser.open(`${here.url}/unset`);
  expect(echoed()["cookie"]).toBe("b=2; c=3=3");
});

it("submits a form with the origin of its page", async () => {
  await browser.open(`${here.url}/echo`);
  await browser.submit({ name: "Grace & Linus" });
  expect(echoed()).toMatchObject({
    origin: here.url,
    "sec-fetch-site": "same-origin",
    "content-type": "application/x-www-form-urlencoded",
    body: "name=Grace+%26+Linus",
  });
});
