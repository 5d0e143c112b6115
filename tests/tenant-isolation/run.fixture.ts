import { expect } from "vitest";

import type { Reply } from "../../sandbox/http-client.js";
import { PROBLEMS, type ProblemCode } from "../../src/errors.js";
import { expectProblem } from "../refusals.fixture.js";
import {
  AUDIENCE_OF,
  PEOPLE_OF,
  PERSON,
  PLACES,
  SITE_NAMES,
  TEAM_NAMES,
  teamDomainOf,
  TENANT_NAMES,
  type TenantName,
} from "./cast.fixture.js";
import type { KnownEvent, KnownLink, KnownTenant } from "./known.fixture.js";
import { Model } from "./model.fixture.js";
import { Stage } from "./stage.fixture.js";
import type { LinkingWorld } from "../linking-scene.fixture.js";

/** How often each outcome was seen: a property that never gets anywhere proves nothing. */
export type Tally = Map<string, number>;

/** One story on two new sites: what really happens beside what the model says. */
export class Run {
  readonly stage: Stage;
  readonly model = new Model();
  /** Where the last list of each tenant stopped. */
  readonly linkCursors = new Map<string, { readonly text: string; readonly after: KnownLink }>();
  readonly auditCursors = new Map<string, { readonly text: string; readonly after: KnownEvent }>();
  readonly #tally: Tally;
  #events = 0;
  /** Ids that the app has made, with the tenant whose they are. */
  readonly #owners = new Map<string, TenantName>();

  private constructor(stage: Stage, tally: Tally) {
    this.stage = stage;
    this.#tally = tally;
  }

  static async start(linking: Omit<LinkingWorld, "close">, tally: Tally): Promise<Run> {
    return new Run(await Stage.start(linking), tally);
  }

  async close(): Promise<void> {
    await this.stage.close();
  }

  count(outcome: string): void {
    this.#tally.set(outcome, (this.#tally.get(outcome) ?? 0) + 1);
  }

  /** An id belongs to one tenant, for good. */
  own(id: string, tenant: TenantName): void {
    const owner = this.#owners.get(id) ?? tenant;
    expect(owner, `whose ${id} is`).toBe(tenant);
    this.#owners.set(id, tenant);
  }

  /** A refusal that is whole, and tells nothing of anybody but what is allowed. */
  expectRefused(what: string, reply: Reply, code: ProblemCode, allowed: readonly string[] = []): void {
    this.count(`${what}: ${code}`);
    expect((reply.body as { code?: unknown }).code, reply.text).toBe(code);
    expectProblem(reply, code, this.stage.appUrl);
    this.expectTells(reply, allowed);
  }

  /** Whether the model refuses this; then it was refused just so. */
  wasRefused(what: string, reply: Reply, code: ProblemCode | null, allowed?: readonly string[]): boolean {
    if (code) this.expectRefused(what, reply, code, allowed);
    return code !== null;
  }

  expectAnswer(what: string, reply: Reply, status: number, body?: unknown): void {
    this.count(`${what}: ${status}`);
    expect(reply.status, reply.text).toBe(status);
    if (body !== undefined) expect(reply.body).toEqual(body);
  }

  /** A HEAD is answered as the GET would be, without what it would tell. */
  expectHead(reply: Reply, code: ProblemCode | null): void {
    this.count(`head: ${code ?? 200}`);
    const { method, url } = reply.call;
    expect(reply.status, `${method} ${url}`).toBe(code === null ? 200 : PROBLEMS[code].status);
    expect(reply.text).toBe("");
    this.expectTells(reply, []);
  }

  /** Of all that is anybody's here, an answer holds only this. */
  expectTells(reply: Reply, allowed: readonly string[]): void {
    const told = `${JSON.stringify(reply.headers)}\n${reply.text}`;
    const secrets = this.#listSecrets().filter((text) => told.includes(text));
    expect(secrets.filter((text) => !allowed.includes(text))).toEqual([]);
  }

  /** Waits for the record of what services did. */
  async waitForRecord(): Promise<void> {
    await this.#waitForUses(0);
  }

  /** The same, and for what is counted, which takes up to a second. */
  async waitForCounts(): Promise<void> {
    const calls = [...this.model.tenants.values()]
      .flatMap(({ uses }) => [...uses.values()])
      .flatMap(({ outcomes }) => [...outcomes.values()]);
    await this.#waitForUses(calls.reduce((sum, count) => sum + count, 0));
  }

  async #waitForUses(calls: number): Promise<void> {
    const tenants = [...this.model.tenants.values()];
    const events = tenants.flatMap((tenant) => tenant.events.filter(isUse)).length;
    await this.stage.waitUntilStored(
      tenants.map(({ id }) => id),
      { events, calls },
    );
  }

  /** Tells of one request's change; the audit log has to hold just this. */
  note(
    tenant: KnownTenant,
    reply: Reply,
    event: Pick<KnownEvent, "action" | "actor" | "target"> & Partial<Pick<KnownEvent, "before" | "after">>,
  ): void {
    const reference = String(reply.headers["x-request-reference"]);
    this.#events += 1;
    tenant.events.unshift({ before: null, after: null, ...event, reference, number: this.#events });
  }

  noteLink(
    tenant: KnownTenant,
    reply: Reply,
    change: "created" | "removed" | "restored" | "confirmed",
    link: KnownLink,
    accountId: string | null,
  ): void {
    const told = describeLink(link);
    this.note(tenant, reply, {
      action: `link.${change}`,
      actor: { type: "user", accountId },
      target: { type: "link", id: link.id },
      ...(change === "removed" ? { before: told } : { after: told }),
    });
  }

  presentTenant({ name, host, state }: KnownTenant) {
    const baseUrl = this.stage.baseUrlOf(name, host);
    return { product: PLACES[name].product, site: this.stage.hostOf(host), baseUrl, state };
  }

  #listSecrets(): string[] {
    const people = [...Object.values(PERSON), ...Object.values(PEOPLE_OF).flat()];
    return [
      ...people.flatMap(({ accountId, accessSubject, email, name }) => [
        accountId,
        accessSubject,
        email,
        name,
      ]),
      ...TEAM_NAMES.map(teamDomainOf),
      ...Object.values(AUDIENCE_OF),
      ...SITE_NAMES.map((site) => this.stage.hostOf(site)),
      ...TENANT_NAMES.map((name) => `of ${name}`),
      ...this.#owners.keys(),
    ];
  }
}

/** As the audit log tells of a link. */
export function describeLink({ accountId, email, issuer, method }: KnownLink) {
  return { accountId, email, issuer, method };
}

export function presentLink(link: KnownLink) {
  const { id, linkedAt, isConfirmed, method } = link;
  const lastUsedAt = expect.toBeOneOf([null, expect.any(String)]) as unknown;
  const confirmedAt = isConfirmed ? (expect.any(String) as unknown) : null;
  const standing = method === "proof" ? "proved" : isConfirmed ? "confirmed" : "unconfirmed";
  return { ...describeLink(link), id, linkedAt, lastUsedAt, confirmedAt, standing };
}

/** What a service did for a person; all else are changes that somebody made. */
export function isUse({ action }: Pick<KnownEvent, "action">): boolean {
  return action === "service.acted" || action === "assertion.issued";
}

/** Where a person finds the app's page, and one entry on it. */
export function accountPageOf({ stage }: Run, { name }: KnownTenant, entry = ""): string {
  return `${stage.baseUrlOf(name)}/plugins/servlet/ac/access-for-atlassian-cloud/account${entry}`;
}
