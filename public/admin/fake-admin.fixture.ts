import { AccountNames } from "./account-names.js";
import { Api } from "../api.js";
import { FRESH_SETTINGS } from "../../src/services/settings.js";
import type {
  Host,
  HostAnswer,
  HostRequest,
  Predecessor,
  ServiceOverview,
  Settings,
  SettingsDraft,
} from "../types.js";

export const AUDIENCES = { link: "1".repeat(64), tool: "2".repeat(64), other: "3".repeat(64) };

export const LINK_SERVICE: Settings["services"][number] = {
  id: "link",
  label: "Linking window",
  audience: AUDIENCES.link,
  purposes: ["link"],
  limits: null,
  paused: false,
};

export const ACTING_SERVICE: Settings["services"][number] = {
  id: "tool",
  label: "Tool",
  audience: AUDIENCES.tool,
  purposes: ["act"],
  limits: {
    requests: [{ methods: ["GET"], path: "/rest/api/3/**" }],
    maxTokenAgeSeconds: null,
    ipAddresses: [],
    consent: "required",
    liveCheckSeconds: null,
  },
  paused: false,
};

export const COMPLETE_SETTINGS: Settings = {
  ...FRESH_SETTINGS,
  teamDomain: "acme.cloudflareaccess.com",
  services: [LINK_SERVICE],
  version: 3,
};

/** Something that a test lets happen when it likes. */
export function createGate<T = void>() {
  let open: (value: T) => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const passed = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { passed, open, fail };
}

const VERSION_CONFLICT = { status: 409, body: { code: "version_conflict", title: "", detail: "" } };

/** A host whose app keeps settings in memory, with versions as the real one does. */
export class FakeHost implements Host {
  readonly appUrl = new URL("https://access.example.com/");
  readonly openTab = null;
  mayTakeOver = false;
  predecessor: Predecessor = { available: false, installedAt: null, services: null, links: null };
  readonly requests: HostRequest[] = [];
  /** Waited for before the request named by it is answered. */
  readonly gates = new Map<string, Promise<unknown>>();
  /** Field errors with which the next save is refused. */
  refusal: readonly { field: string; detail: string }[] | null = null;
  teamCheck = { ok: true, keyCount: 2, milliseconds: 5, kids: [], problem: null };
  overviews: readonly ServiceOverview[] = [];
  settings: Settings;
  #ids = 0;

  constructor(settings: Settings = FRESH_SETTINGS) {
    this.settings = settings;
  }

  /** As another admin would. */
  saveAsSomebodyElse(changes: Partial<Settings>): void {
    this.settings = { ...this.settings, ...changes, version: this.settings.version + 1 };
  }

  count(method: string, path: string): number {
    return this.requests.filter((request) => request.method === method && request.path === path).length;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  findProduct(): Promise<"jira"> {
    return Promise.resolve("jira");
  }

  findQuery(): Promise<URLSearchParams> {
    return Promise.resolve(new URLSearchParams());
  }

  findAccountNames(): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map());
  }

  async send(request: HostRequest): Promise<HostAnswer> {
    this.requests.push(request);
    await this.gates.get(`${request.method} ${request.path}`);
    return { retryAfterSeconds: null, ...this.#answer(request) };
  }

  #answer({ method, path, body }: HostRequest): { status: number; body: unknown } {
    switch (`${method} ${path.replace(/\?.*/, "")}`) {
      case "GET /api/v1/settings":
        return { status: 200, body: this.settings };
      case "PUT /api/v1/settings":
        return this.#save(body as SettingsDraft);
      case "POST /api/v1/settings/check":
        return { status: 200, body: { ...this.teamCheck, ...(body as object) } };
      case "POST /api/v1/settings/popup-check":
        return { status: 200, body: { finding: "behind_access", detail: "", audience: null } };
      case "GET /api/v1/settings/predecessor":
        return { status: 200, body: this.predecessor };
      case "POST /api/v1/settings/predecessor/take-over":
        return this.#takeOver(body as { version: number });
      case "GET /api/v1/me":
        return { status: 200, body: { links: [] } };
      case "GET /api/v1/services":
        return { status: 200, body: { items: this.overviews, nextCursor: null } };
      case "GET /api/v1/audit":
        return { status: 200, body: { items: [], nextCursor: null } };
      default:
        throw new Error(`Nobody answers ${method} ${path}.`);
    }
  }

  #takeOver({ version }: { version: number }): { status: number; body: unknown } {
    if (version !== this.settings.version) return VERSION_CONFLICT;
    this.settings = { ...COMPLETE_SETTINGS, services: [LINK_SERVICE, ACTING_SERVICE], version: 40 };
    this.predecessor = { available: false, installedAt: null, services: null, links: null };
    return { status: 200, body: this.settings };
  }

  #save(document: SettingsDraft): { status: number; body: unknown } {
    if (this.refusal) {
      const errors = this.refusal;
      this.refusal = null;
      return { status: 422, body: { code: "validation_failed", title: "", detail: "", errors } };
    }
    if (document.version !== this.settings.version) return VERSION_CONFLICT;
    const services = document.services.map((service) => ({
      ...service,
      id: service.id ?? `id-${++this.#ids}`,
    }));
    this.settings = { ...document, services, version: document.version + 1 };
    return { status: 200, body: this.settings };
  }
}

/** What a page's parts are made of. */
export function createParts(host: FakeHost) {
  const names = new AccountNames(host, () => undefined);
  return { api: new Api(host), names, settings: host.settings, onChange: () => undefined };
}
