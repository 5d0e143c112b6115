import type { NewService } from "../sandbox/app-page.js";
import { audienceOf } from "../sandbox/access-team.js";
import type { Reply } from "../sandbox/http-client.js";
import { ADA, GRACE, type Person } from "../sandbox/people.js";
import { SERVICES } from "../sandbox/world.js";
import type { ServiceLimits } from "../src/services/settings.js";
import { GatewayWorld, type GatewayAnswer } from "./gateway.fixture.js";

export interface ServiceKeyTold {
  readonly id: string;
  readonly key: string;
  readonly hint: string;
  readonly createdAt: string;
}

export interface Sight {
  readonly serviceId: string;
  readonly label: string;
  readonly consents: number;
  readonly keys: readonly (Omit<ServiceKeyTold, "key"> & { readonly lastUsedAt: string | null })[];
}

const LIMITS: Partial<ServiceLimits> = {
  requests: [{ methods: ["GET"], path: "/rest/**" }],
  consent: "given",
};

/** A service that identifies its visitors and acts as them. */
export function tool(label: string, changes: Partial<NewService> = {}): NewService {
  const { limits, ...others } = changes;
  return {
    label,
    audience: audienceOf(label),
    purposes: ["identify", "act"],
    ...others,
    limits: { ...LIMITS, ...limits },
  };
}

/** A site where Grace has linked in Jira, and whose trusted services are changed and called. */
export class ToolsWorld {
  readonly gateway: GatewayWorld;

  private constructor(gateway: GatewayWorld) {
    this.gateway = gateway;
  }

  static async start(): Promise<ToolsWorld> {
    return new ToolsWorld(await GatewayWorld.start());
  }

  async close(): Promise<void> {
    await this.gateway.close();
  }

  get admin() {
    return this.gateway.world.page(ADA);
  }

  /** With new ids, so that nothing is left of what was there. */
  async list(...services: readonly NewService[]): Promise<void> {
    await this.gateway.save("jira", [SERVICES[0]]);
    const { services: kept } = await this.admin.getSettings();
    await this.gateway.save("jira", [...kept, ...services]);
  }

  async change(label: string, changes: Partial<NewService>): Promise<void> {
    const { services } = await this.admin.getSettings();
    await this.admin.saveSettings({
      services: services.map((service) => (service.label === label ? { ...service, ...changes } : service)),
    });
  }

  async idOf(label: string): Promise<string> {
    const { services } = await this.admin.getSettings();
    const service = services.find((each) => each.label === label);
    if (!service) throw new Error(`There is no ${label}.`);
    return service.id;
  }

  async createKey(label: string): Promise<ServiceKeyTold> {
    const reply = await this.admin.send("POST", `/api/v1/services/${await this.idOf(label)}/keys`);
    return reply.expect(201).body as ServiceKeyTold;
  }

  async removeKey(label: string, keyId: string): Promise<Reply> {
    return this.admin.send("DELETE", `/api/v1/services/${await this.idOf(label)}/keys/${keyId}`);
  }

  async look(label: string): Promise<Sight> {
    const { body } = (await this.admin.send("GET", "/api/v1/services")).expect(200);
    const found = (body as { items: Sight[] }).items.find((item) => item.label === label);
    if (!found) throw new Error(`Nothing is told of ${label}.`);
    return found;
  }

  async sign(label: string, person: Person = GRACE, others: readonly string[] = []): Promise<string> {
    const audiences = [label, ...others].map(audienceOf);
    return this.gateway.world.team.signAccessJwt(person, "", { claims: { aud: audiences } });
  }

  /** As the service does, for Grace; the key as it is, or several. */
  async act(token: string, key?: string | readonly string[]): Promise<GatewayAnswer> {
    return this.gateway.call({ token, ...(key !== undefined && { headers: { "x-service-key": key } }) });
  }

  async identify(token: string, key?: string): Promise<Reply> {
    const { world } = this.gateway;
    return world.parts.client.send({
      caller: "A service",
      method: "GET",
      url: `${world.appUrl}/api/v1/sites/${world.site.host}/identity?product=jira`,
      headers: { authorization: `Bearer ${token}`, ...(key !== undefined && { "x-service-key": key }) },
    });
  }

  async listEvents(...actions: readonly string[]): Promise<Readonly<Record<string, unknown>>[]> {
    const { body } = (await this.admin.send("GET", "/api/v1/audit?limit=200")).expect(200);
    const { items } = body as { items: { action: string }[] };
    return items.filter(({ action }) => actions.includes(action));
  }
}
