import { AccessEdge } from "./access-edge.js";
import { audienceOf, type AccessTeam } from "./access-team.js";
import type { NewService } from "./app-page.js";
import type { Person } from "./people.js";
import { getPresetRequests } from "./preset-requests.js";
import type { Stage } from "./stage.js";
import type { World } from "./world.js";

const LABEL = "Your own tool";

/** A spare application, as an admin lists it: for the tool of whoever runs the sandbox. */
export const OWN_TOOL = {
  label: LABEL,
  audience: audienceOf(LABEL),
  purposes: ["identify", "act"],
  limits: { requests: [...getPresetRequests("read-issues"), ...getPresetRequests("comment-on-issues")] },
} as const satisfies NewService;

/** Access in front of a port where nothing listens before the tool does. */
export async function startOwnToolEdge(options: {
  readonly team: AccessTeam;
  readonly port: number;
  readonly toolPort: number;
}): Promise<AccessEdge> {
  const { team, port, toolPort } = options;
  const application = { label: OWN_TOOL.label, audience: OWN_TOOL.audience, pathPrefix: "/" };
  const edge = await AccessEdge.start({ team, applications: [application], port });
  edge.originPort = toolPort;
  return edge;
}

/** What the tool is to be told, in the words that the examples use for it. */
export function describeOwnToolEnvironment({ appUrl, site, team }: World, toolPort: number): string {
  return Object.entries({
    APP_URL: appUrl,
    SITE: site.host,
    AUDIENCE: OWN_TOOL.audience,
    TEAM_DOMAIN: team.domain,
    CERTS_URL: `${team.url}/cdn-cgi/access/certs`,
    PORT: toolPort,
  })
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}

/** What Access hands the tool when these people visit it, to call it or the app without a browser. */
export async function tellOwnToolTokens(
  { world, transcript }: Stage,
  people: readonly Person[],
): Promise<void> {
  for (const person of people) {
    transcript.say(`For a day, this is ${person.name}, who visits a tool of your own:`);
    transcript.print(`\nACCESS_JWT=${await world.team.signAccessJwt(person, OWN_TOOL.audience)}`);
  }
}
