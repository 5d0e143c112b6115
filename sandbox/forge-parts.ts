import { ForgeApi } from "./forge-api.js";
import { ForgeDeployment } from "./forge-deployment.js";
import { ForgeKeys } from "./forge-keys.js";
import { ForgeSite } from "./forge-site.js";
import type { HttpClient } from "./http-client.js";
import type { Keep, WorldPorts } from "./world-parts.js";

/** Atlassian's side of the app's other door. */
export interface ForgeParts {
  readonly keys: ForgeKeys;
  readonly api: ForgeApi;
  readonly deployment: ForgeDeployment;
  readonly sites: readonly [ForgeSite, ...ForgeSite[]];
}

interface ForgeOptions {
  readonly appUrl: string;
  readonly client: HttpClient;
  readonly siteCount: number;
  readonly ports: WorldPorts;
  readonly keep: Keep;
}

export async function startForge({
  appUrl,
  client,
  siteCount,
  ports,
  keep,
}: ForgeOptions): Promise<ForgeParts> {
  const keys = await keep(ForgeKeys.start());
  const api = await keep(ForgeApi.start());
  const deployment = await keep(ForgeDeployment.start({ appUrl, port: ports.forgeFiles ?? 0 }));
  const startSite = (port: number) => keep(ForgeSite.start({ keys, api, deployment, client, port }));
  const sites: [ForgeSite, ...ForgeSite[]] = [await startSite(ports.forgeSite ?? 0)];
  while (sites.length < siteCount) sites.push(await startSite(0));
  return { keys, api, deployment, sites };
}
