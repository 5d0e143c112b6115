import { readFileSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";

import { GRACE, LINUS } from "../sandbox/people.js";
import { startWorld } from "../sandbox/world.js";
import { KEY_ROTATIONS } from "../src/assertions/assertion-keys.js";
import { ASSERTIONS } from "../src/assertions/assertion-service.js";
import { UNKNOWN_KIDS_PER_MINUTE } from "../src/connect/install-keys.js";
import { MAX_ANSWER_HEADER_BYTES, STREAM_LIMITS } from "../src/products/product-stream.js";
import { AGREEMENTS } from "../src/consents/consent-service.js";
import { NEWS_MARKS } from "../src/gateway/member-sight.js";
import { ATTEMPT_TTL_SECONDS, MAX_ATTEMPTS, MAX_WRONG_CODES } from "../src/links/link-attempt-service.js";
import type { Rate } from "../src/rate-limit.js";
import { KEY_CHANGES } from "../src/services/service-keys.js";
import { CHECKS, POPUP_CHECKS, TEAM_CHANGES } from "../src/services/settings-service.js";
import { MAX_RECORDS, MAX_RECORDS_OF_TENANT } from "../src/services/use-records.js";
import { PEOPLE_BEHIND_A_PROXY } from "../src/web/address-limit.js";
import { FORM_LIMIT_BYTES } from "../src/web/form-body.js";
import { MAX_CONNECTIONS, MAX_HEADER_BYTES, TIMEOUTS } from "../src/web/http-server.js";
import { JSON_BODY_LIMIT_BYTES, MAX_JSON_DEPTH } from "../src/web/json-body.js";
import { MAX_CHANGES_OF_TENANT, RATES } from "../src/web/limits.js";
import { ANSWER_STALL_MS } from "../src/web/relay-answer.js";
import { BODY_IDLE_MS } from "../src/web/request-stream.js";
import { expectProblem } from "./refusals.fixture.js";
import { travel } from "./lifecycle.fixture.js";

const OPERATIONS = readFileSync("docs/operations.md", "utf8");

/** The cells of the table that has this heading over its first column; an empty first cell repeats the one above. */
function readTable(heading: string): string[][] {
  const lines = OPERATIONS.slice(OPERATIONS.indexOf(`| ${heading} `)).split("\n");
  const rows = lines.slice(2, lines.indexOf("")).map((line) => line.split("|").slice(1, -1));
  let above = "";
  return rows.map(([first = "", ...rest]) => {
    above = first.trim() || above;
    return [above, ...rest.map((cell) => cell.trim())];
  });
}

const written = (count: number) => count.toLocaleString("en-US");
const kibibytes = (bytes: number) => `${bytes / 1024} KiB`;
const seconds = (milliseconds: number) => `${milliseconds / 1000} seconds`;

function often({ calls, perSeconds }: Rate): string {
  const spans: Readonly<Record<number, string>> = { 60: "a minute", 3600: "an hour" };
  return `${written(calls)} ${spans[perSeconds] ?? `in ${perSeconds / 60} minutes`}`;
}

describe("docs/operations.md", () => {
  it("says how often what may be asked, in one row for each limit", () => {
    const { ofCaller, ofNewcomer, ofAll, ofAllNewcomers } = UNKNOWN_KIDS_PER_MINUTE;
    const toInstall = "lifecycle events signed with a key that the app hasn't seen";
    const attempts = { calls: MAX_ATTEMPTS, perSeconds: ATTEMPT_TTL_SECONDS };
    const { account, tenant, proof, forgery, lifecycle, ...others } = RATES;
    expect(others).toEqual({});
    expect(readTable("what")).toEqual([
      ["calls of the browser API and pages", "an account", often(account)],
      ["calls of the browser API and pages", "a tenant", often(tenant)],
      ["changes under way through the browser API", "a tenant", String(MAX_CHANGES_OF_TENANT)],
      ["linking attempts", "an account", often(attempts)],
      ["codes and Access JWTs handed in to be linked", "an account", often(proof)],
      ["wrong codes", "a linking attempt", `${MAX_WRONG_CODES}, then it ends`],
      ["changes of the team domain", "a tenant", often(TEAM_CHANGES)],
      ["changes of services' keys", "a tenant", often(KEY_CHANGES)],
      ["checks of a team's keys", "a tenant", often(CHECKS)],
      ["checks of the linking window", "a tenant", often(POPUP_CHECKS)],
      ["assertions", "an account", often(ASSERTIONS)],
      ["new assertion keys at once", "a tenant", often(KEY_ROTATIONS)],
      ["agreements to what services may do", "an account", often(AGREEMENTS)],
      ["news noted as seen", "an account", often(NEWS_MARKS)],
      ["requests with a token that turns out to be nobody's", "an address", often(forgery)],
      ["events that install or uninstall the app", "a tenant", often(lifecycle)],
      ["events that enable or disable it", "a tenant", often(lifecycle)],
      [toInstall, "an address", `${written(ofCaller)} a minute`],
      [
        toInstall,
        "all addresses",
        `${written(ofAll)} a minute; ${written(ofAllNewcomers)} with the first ${ofNewcomer} of each address`,
      ],
    ]);
    expect(PEOPLE_BEHIND_A_PROXY).toBe(10);
    expect(OPERATIONS).toContain("ten times as many made-up tokens");
  });

  it("says how much a request or connection may be", () => {
    const bodies = `${kibibytes(JSON_BODY_LIMIT_BYTES)}; ${kibibytes(FORM_LIMIT_BYTES)}`;
    const { headersMs, requestMs, keepAliveMs } = TIMEOUTS;
    expect(readTable("of a request or connection").map(([what, howMuch]) => [what, howMuch])).toEqual([
      ["URL and headers together", kibibytes(MAX_HEADER_BYTES)],
      ["JSON body; form", bodies],
      ["JSON nesting", `${MAX_JSON_DEPTH} deep`],
      ["time for the headers; for the whole request", `${seconds(headersMs)}; ${seconds(requestMs)}`],
      ["time between two requests of a connection", seconds(keepAliveMs)],
      ["open connections", written(MAX_CONNECTIONS)],
    ]);
  });

  it("says how long parts of an acting call may take, and how many there may be", () => {
    const { connectMs, headersMs, idleMs, maxPerTenant, maxPerService, maxPerPerson } = STREAM_LIMITS;
    expect(readTable("of an acting call").map(([, howMuch]) => howMuch)).toEqual([
      seconds(BODY_IDLE_MS),
      `${seconds(connectMs)}; ${seconds(headersMs)}`,
      kibibytes(MAX_ANSWER_HEADER_BYTES),
      `${seconds(idleMs)}; ${seconds(ANSWER_STALL_MS)}`,
      written(maxPerTenant),
      `${written(maxPerService)}; ${written(maxPerPerson)}`,
      written(MAX_RECORDS),
      written(MAX_RECORDS_OF_TENANT),
    ]);
  });
});

it("an account hands in fewer codes than it makes calls, and makes fewer than its tenant", () => {
  const perMinute = ({ calls, perSeconds }: Rate) => (calls * 60) / perSeconds;
  expect(perMinute(RATES.proof)).toBeLessThan(perMinute(RATES.account));
  expect(perMinute(RATES.account)).toBeLessThan(perMinute(RATES.tenant));
});

it("an app as it comes takes 60 codes a minute of an account, and refuses the next", async () => {
  const world = await startWorld({ hasEdge: false });
  onTestFinished(() => world.close());
  await world.install("jira");
  const handIn = (person = LINUS) =>
    world.page(person).send("POST", "/api/v1/me/links", { attempt: "unknown", code: "ABCDEFGHIJ" });
  travel(0);
  for (let nth = 0; nth < 60; nth += 1) (await handIn()).expect(410);

  expectProblem(await handIn(), "rate_limited", world.appUrl);
  (await handIn(GRACE)).expect(410);
  travel(60);
  (await handIn()).expect(410);
});
