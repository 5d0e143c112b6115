import { decodeJwt } from "jose";

import { PROBLEMS } from "../src/errors.js";
import type { AtlassianSite } from "./atlassian-site.js";
import { escapeHtml } from "./html.js";
import type { Reply } from "./http-client.js";
import { html, json, type Answer, type Incoming } from "./http-server.js";
import { nickname, type Person } from "./people.js";
import { shorten } from "./readable.js";
import { NOT_PLAYED, SCENE_GROUPS } from "./refusal-scenes.js";
import type { Ending, Fact, Scene } from "./scene.js";
import type { Scenes } from "./scenes.js";
import { readChoices, withChoices } from "./site-choices.js";
import { sitePage } from "./site-pages.js";
import type { World } from "./world.js";

/** What the page shows of an answer. */
export interface Outcome {
  readonly request: string;
  readonly status: number;
  /** Null for what isn't a problem of the app's. */
  readonly problem: { readonly code: string; readonly title: string; readonly detail: string } | null;
  /** Where the problem leads, or where to see what was done. */
  readonly links: readonly OutcomeLink[];
  /** What else there is to see, by name. */
  readonly facts: readonly Fact[];
  /** Of a product's answer. */
  readonly body: string | null;
  readonly isAsTold: boolean;
}

interface OutcomeLink {
  readonly text: string;
  readonly url: string;
}

const SHOWN_HEADERS = [
  "x-gateway-upstream",
  "location",
  "retry-after",
  "allow",
  "x-ratelimit-limit",
  "x-ratelimit-remaining",
  "x-request-reference",
];
const MAX_BODY = 600;

/** A page of the first site, on which everything that a service can meet is played with a click. */
export function addRefusalPages({ site, scenes }: World): void {
  site.server.routes.push(
    ["GET", /^\/refusals$/, (request) => showPage(site, request)],
    ["POST", /^\/refusals\/([a-z0-9-]+)$/, (request, match) => playScene(scenes, request, match[1] ?? "")],
  );
}

function showPage(site: AtlassianSite, request: Incoming): Answer {
  const choices = readChoices(request, site.people);
  const page = sitePage(site, choices, {
    title: "Every refusal",
    body: refusalsBody(),
    scripts: ["/sandbox/refusals.js"],
  });
  return withChoices(html(200, page), request, choices);
}

async function playScene(scenes: Scenes, { headers }: Incoming, id: string): Promise<Answer> {
  // No page of another origin can send it.
  if (headers["x-sandbox-scene"] !== "play")
    return json(403, { message: "Play it from the sandbox's page." });
  const scene = scenes.find(id);
  if (!scene) return json(404, { message: "There is no such scene." });
  try {
    const reply = await scenes.play(scene);
    const opened = await scenes.open();
    const read = (await scene.read?.(reply, opened)) ?? [];
    return json(200, describeOutcome(scene, reply, opened.site, read));
  } catch (error) {
    return json(500, { message: error instanceof Error ? error.message : String(error) });
  }
}

function describeOutcome(scene: Scene, reply: Reply, site: AtlassianSite, read: readonly Fact[]): Outcome {
  const { call, status, headers } = reply;
  const isProblem = (headers["content-type"] ?? "").startsWith("application/problem+json");
  const problem = isProblem ? (reply.body as Problem) : null;
  return {
    request: `${call.method} ${shorten(pathOf(call.url))}`,
    status,
    problem: problem && { code: problem.code, title: problem.title, detail: problem.detail },
    links: [
      ...(problem ? listLinks(problem, reply, site) : []),
      ...(scene.seen ? [{ text: scene.seen.text, url: `${site.url}${scene.seen.path}` }] : []),
    ],
    facts: [...read, ...(problem ? listCures(problem, reply, site) : []), ...listHeaders(headers)],
    body: isProblem || reply.text === "" ? null : shorten(reply.text).slice(0, MAX_BODY),
    isAsTold: isEnding(scene.ending, status, problem),
  };
}

function listHeaders(headers: Reply["headers"]): Fact[] {
  return SHOWN_HEADERS.flatMap((name) =>
    headers[name] === undefined ? [] : [[name, String(headers[name])]],
  );
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return `${pathname}${search}`;
}

interface Problem {
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly linkUrl?: string;
  readonly consentUrl?: string;
}

function isEnding(ending: Ending, status: number, problem: Problem | null): boolean {
  return "code" in ending ? problem?.code === ending.code : problem === null && status === ending.status;
}

/** Opened as the person whom they are for, as far as they are on the site: most are there for their scene alone. */
function listLinks({ linkUrl, consentUrl }: Problem, reply: Reply, site: AtlassianSite): OutcomeLink[] {
  const person = findCaller(reply, site);
  if (!person) return [];
  return [
    { text: `Link, as ${person.name}`, url: linkUrl },
    { text: `Agree, as ${person.name}`, url: consentUrl },
  ].flatMap(({ text, url }) => {
    if (url === undefined) return [];
    const opened = new URL(url);
    opened.searchParams.set("as", nickname(person));
    return [{ text, url: opened.href }];
  });
}

/** What the answer says of where to put it right, where nobody is left to open it as. */
function listCures({ linkUrl, consentUrl }: Problem, reply: Reply, site: AtlassianSite): Fact[] {
  if (findCaller(reply, site)) return [];
  return Object.entries({ linkUrl, consentUrl }).flatMap(([name, url]) =>
    url === undefined ? [] : [[name, url]],
  );
}

function findCaller({ call }: Reply, site: AtlassianSite): Person | null {
  const { email, sub } = readCaller(String(call.headers?.["authorization"] ?? ""));
  // A service's Access JWT knows them by e-mail, a page's context JWT by account.
  return site.people.find((each) => each.email === email || each.accountId === sub) ?? null;
}

function readCaller(authorization: string): { readonly email?: string; readonly sub?: string } {
  try {
    return decodeJwt<{ email?: string }>(authorization.replace(/^(?:Bearer|JWT) /, ""));
  } catch {
    return {};
  }
}

function refusalsBody(): string {
  const groups = SCENE_GROUPS.map(
    ({ title, scenes }) =>
      `<h2>${escapeHtml(title)}</h2>\n<ul class="scenes">\n${scenes.map(sceneItem).join("\n")}\n</ul>`,
  );
  const others = Object.entries(NOT_PLAYED).map(
    ([code, reason]) => `<dt><code>${escapeHtml(code)}</code></dt><dd>${escapeHtml(reason)}</dd>`,
  );
  return `<main class="paper">
<h1>Every refusal, and what gets through</h1>
<p>Each entry arranges something, calls the app as a service behind Access or a page in Jira does, shows the answer, and puts everything back.
The calls and the answers are real. They happen on another site of the sandbox's, so nothing here changes what you do elsewhere.</p>
<noscript><p>This page needs its script.</p></noscript>
${groups.join("\n")}
<h2>Not here</h2>
<p>A service doesn't meet these, or not on purpose.</p>
<dl>
${others.join("\n")}
</dl>
</main>`;
}

function sceneItem({ id, title, about, ending, seconds }: Scene): string {
  const told =
    "code" in ending
      ? `Refused: <code>${escapeHtml(ending.code)}</code>, ${PROBLEMS[ending.code].status}`
      : `Answered with ${ending.status}`;
  const wait = seconds === undefined ? "" : ` It takes ${seconds} seconds.`;
  return `<li id="${id}">
<h3>${escapeHtml(title)}</h3>
<p>${escapeHtml(about + wait)}</p>
<p class="subtle">${told}</p>
<p><button type="button" data-scene="${id}" aria-label="${escapeHtml(`Do it: ${title}`)}">Do it</button></p>
<div class="outcome" role="status"></div>
</li>`;
}
