import type { Product } from "../src/tenants/tenant.js";

/** A module of the app's manifest, with what the sandbox makes use of. */
export interface ForgeModule {
  /** Such as `jira:adminPage`, `trigger` or `endpoint`. */
  readonly type: string;
  readonly key: string;
  readonly title?: string;
  readonly resource?: string;
  readonly route?: string;
  /** Who answers its calls. */
  readonly endpoint?: string;
  /** Of an endpoint; none where each call names its own. */
  readonly path?: string;
  /** Of an admin page: behind "Configure" in the list of apps, and not in the sidebar. */
  readonly isForConfiguring: boolean;
  /** Of an endpoint: what it is sent, such as `appUserToken`. */
  readonly tokens: readonly string[];
}

/** A page of the app in a product. */
export interface ForgePage extends ForgeModule {
  readonly product: Product;
  readonly title: string;
  readonly resource: string;
}

/** Of the app's own manifest, in the order that it has them. */
export function readManifestModules(manifest: string): readonly ForgeModule[] {
  const block = /^modules:\n((?: .*\n|\n)+)/m.exec(manifest)?.[1] ?? "";
  return [...block.matchAll(/^ {2}([\w:]+):\n((?: {3,}.*\n|\n)+)/gm)].flatMap(([, type = "", list = ""]) =>
    list
      .split(/^ {4}- /m)
      .slice(1)
      .map((text) => readModule(type, text)),
  );
}

function readModule(type: string, text: string): ForgeModule {
  const values = [...text.matchAll(/^ *(key|title|resource|route|endpoint|path): (.+)$/gm)];
  const tokens = [...text.matchAll(/^ *(app\w+Token):$/gm)].map(([, token = ""]) => token);
  const { key = "", ...rest } = Object.fromEntries(values.map(([, name, value]) => [name, value])) as Partial<
    Omit<ForgeModule, "type" | "tokens" | "isForConfiguring">
  >;
  return { type, key, ...rest, isForConfiguring: /^ *useAsConfig: true$/m.test(text), tokens };
}

/** Null for what is no page. A module's key begins with its product. */
export function asPage(module: ForgeModule): ForgePage | null {
  const { key, title, resource } = module;
  const product = (["jira", "confluence"] as const).find((each) => key.startsWith(`${each}-`));
  return product && title && resource ? { ...module, product, title, resource } : null;
}
