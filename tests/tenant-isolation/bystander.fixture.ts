import { createId } from "../../src/identifiers.js";
import type { ListedService } from "../../src/services/settings.js";
import { storedTime } from "../linking-database.fixture.js";
import type { LinkingWorld } from "../linking-scene.fixture.js";
import { AUDIENCE_OF, PERSON } from "./cast.fixture.js";
import { digestOf } from "./known.fixture.js";

type World = Pick<LinkingWorld, "world" | "database">;

/** A row by its columns, without its id and its tenant. */
type Planted = Readonly<Record<string, string | number>>;

const TABLES = ["consents", "service_days", "service_people", "service_key_uses", "news_marks"] as const;
type Table = (typeof TABLES)[number];

const CALLS = 1000;
const LONG_AGO = storedTime(new Date(0));
const ACCOUNTS = Object.values(PERSON).map(({ accountId }) => accountId);

const bystanders = new WeakMap<object, Promise<Bystander>>();

/**
 * A tenant of another site that does nothing. What is stored for it has the ids of other tenants' services and keys: ids
 * that are made up never meet by chance, so a query that forgot the tenant would find the right rows all the same.
 */
export class Bystander {
  readonly #database: World["database"];
  readonly #tenantId: string;
  /** Each row as text. */
  #planted: readonly string[] = [];

  private constructor(database: World["database"], tenantId: string) {
    this.#database = database;
    this.#tenantId = tenantId;
  }

  /** One for all stories of a world. */
  static async meet({ world, database }: World): Promise<Bystander> {
    const met = bystanders.get(database) ?? Bystander.#install({ world, database });
    bystanders.set(database, met);
    return met;
  }

  static async #install({ world, database }: World): Promise<Bystander> {
    await world.install("jira");
    const [row] = await database.select("SELECT id FROM tenants WHERE site = ?", [world.site.host]);
    const bystander = new Bystander(database, String(row?.["id"]));
    await bystander.#plantPeople();
    return bystander;
  }

  /** Everybody withdrew from whatever had these audiences before, and has been told something long ago. */
  async #plantPeople(): Promise<void> {
    const decision = { digest: "0".repeat(64), state: "withdrawn", decided_at: LONG_AGO };
    for (const account_id of ACCOUNTS) {
      const audiences = Object.values(AUDIENCE_OF);
      await this.#insert(
        "consents",
        audiences.map((audience) => ({ account_id, audience, ...decision })),
      );
      await this.#insert("news_marks", [{ account_id, seen_until: LONG_AGO }]);
    }
  }

  /** Everybody but one agreed to these services, which were used a lot. */
  async plant(services: readonly ListedService[]): Promise<void> {
    if (services.length === 0) return;
    const now = storedTime(new Date());
    const used = { calls: CALLS, last_at: now };
    const ofPeople = services.flatMap((service) => ACCOUNTS.map((account_id) => ({ service, account_id })));
    await this.#insert(
      "consents",
      ofPeople.map(({ service, account_id }) => ({
        ...{ service_id: service.id, account_id, digest: digestOf(service), decided_at: now },
        state: account_id === PERSON.Gus.accountId ? "withdrawn" : "agreed",
      })),
    );
    await this.#insert(
      "service_people",
      ofPeople.map(({ service, account_id }) => ({
        ...{ service_id: service.id, account_id, known_at: now, ...used },
      })),
    );
    await this.#insert(
      "service_days",
      services.flatMap(({ id }) =>
        ["identified", "acted"].map((outcome) => ({
          ...{ service_id: id, day: now.slice(0, 10), outcome, ...used },
        })),
      ),
    );
  }

  /** A key of a service that was shown long ago. */
  async plantKey(service_id: string, key_id: string): Promise<void> {
    await this.#insert("service_key_uses", [{ service_id, key_id, last_at: LONG_AGO }]);
  }

  /** What is stored for it, and what should be. What has changed is told once, or every story after it would go wrong too. */
  async look(): Promise<{ readonly stored: readonly string[]; readonly planted: readonly string[] }> {
    const stored: string[] = [];
    for (const table of TABLES) {
      const sql = `SELECT * FROM ${table} WHERE tenant_id = ?`;
      const rows = await this.#database.select(sql, [this.#tenantId]);
      stored.push(...rows.map((row) => describe(table, row)));
    }
    const planted = this.#planted;
    this.#planted = stored;
    return { stored: stored.toSorted(), planted: planted.toSorted() };
  }

  async #insert(table: Table, rows: readonly Planted[]): Promise<void> {
    const planted = rows.map((row) => ({ id: createId(), tenant_id: this.#tenantId, ...row }));
    const columns = Object.keys(planted[0] ?? {});
    const places = planted.map(() => "(?)").join(", ");
    await this.#database.execute(
      `INSERT INTO ${table} (${columns.join(", ")}) VALUES ${places}`,
      planted.map((row) => Object.values(row)),
    );
    this.#planted = [...this.#planted, ...planted.map((row) => describe(table, row))];
  }
}

function describe(table: Table, row: Readonly<Record<string, unknown>>): string {
  const columns = Object.entries(row).filter(([, value]) => value !== null);
  return `${table} ${columns
    .map(([name, value]) => `${name}=${String(value)}`)
    .sort()
    .join(" ")}`;
}
