import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { asPage, readManifestModules, type ForgeModule, type ForgePage } from "./forge-manifest.js";
import { readManifestScopes, type ForgeScopes } from "./forge-scopes.js";
import { json, startServer, type Server } from "./http-server.js";

const FORGE = path.resolve(import.meta.dirname, "../forge");
const BRIDGE = path.join(import.meta.dirname, "pages", "forge-frame-bridge.js");
const BRIDGE_TAG = '<script src="./forge-frame-bridge.js"></script>';

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
};

/** What `npm run build:forge` and `forge deploy` hand over: the manifest, and pages that are served from an origin of their own. */
export class ForgeDeployment {
  readonly server: Server;
  /** The app's public URL, without a trailing slash: the manifest's remote with its base path. */
  readonly appUrl: string;
  readonly scopes: ForgeScopes;
  readonly #modules: readonly ForgeModule[];

  private constructor(server: Server, appUrl: string, manifest: string, files: ReadonlyMap<string, string>) {
    this.server = server;
    this.appUrl = appUrl;
    this.scopes = readManifestScopes(manifest);
    this.#modules = readManifestModules(manifest);
    server.routes.push([
      "GET",
      /^\/\w+\/[\w.-]+$/,
      ({ url }) => {
        const body = files.get(url.pathname);
        if (body === undefined) return json(404, { message: "There is no such file." });
        // Custom UI may load what it brings, and nothing else.
        const headers = {
          "content-type": TYPES[path.extname(url.pathname)] ?? "application/octet-stream",
          "content-security-policy": "default-src 'self'; form-action 'self'; base-uri 'self'",
        };
        return { status: 200, headers, body };
      },
    ]);
  }

  static async start({ appUrl, port = 0 }: { appUrl: string; port?: number }): Promise<ForgeDeployment> {
    const [manifest, files] = await Promise.all([
      readFile(path.join(FORGE, "manifest.yml"), "utf8"),
      buildFiles(appUrl),
    ]);
    return new ForgeDeployment(await startServer({ port }), appUrl, manifest, files);
  }

  /** Of the pages' files. */
  get url(): string {
    return this.server.url;
  }

  get pages(): readonly ForgePage[] {
    return this.#modules.flatMap((module) => asPage(module) ?? []);
  }

  listModules(type: string): readonly ForgeModule[] {
    return this.#modules.filter((module) => module.type === type);
  }

  getEndpoint({ key, endpoint }: ForgeModule): ForgeModule {
    const found = this.listModules("endpoint").find((each) => each.key === endpoint);
    if (!found) throw new Error(`The manifest's ${key} has no endpoint.`);
    return found;
  }

  async close(): Promise<void> {
    await this.server.close();
  }
}

/** By their paths, with Forge's own script before each page's. */
async function buildFiles(appUrl: string): Promise<ReadonlyMap<string, string>> {
  // Late: it brings a bundler along.
  const { buildPages } = await import("../forge/build.mjs");
  const folder = await mkdtemp(path.join(tmpdir(), "access-forge-"));
  try {
    await buildPages({ appUrl: new URL(`${appUrl}/`), folder });
    const files = new Map<string, string>();
    for (const page of await readdir(folder)) {
      for (const name of await readdir(path.join(folder, page))) {
        const content = await readFile(path.join(folder, page, name), "utf8");
        files.set(`/${page}/${name}`, content.replace("<head>", `<head>\n${BRIDGE_TAG}`));
      }
      files.set(`/${page}/forge-frame-bridge.js`, await readFile(BRIDGE, "utf8"));
    }
    return files;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
