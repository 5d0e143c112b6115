import { ADA, GRACE } from "./people.js";
import type { Stage } from "./stage.js";
import { AUDIENCES } from "./world-parts.js";

interface CurlCall {
  readonly what: string;
  readonly authorization: string;
  readonly url: string;
}

/** Calls to copy, with fresh tokens. They work as they are, or it is said what is in the way. */
export async function tellCurlCalls({ world, transcript }: Stage): Promise<void> {
  const { site, team, appUrl } = world;
  const tell = ({ what, authorization, url }: CurlCall) => {
    transcript.say(what);
    transcript.print(`\ncurl -H 'Authorization: ${authorization}' '${url}'`);
  };
  const ofSite = `${appUrl}/api/v1/sites/${site.host}`;
  const accessJwt = await team.signAccessJwt(GRACE, AUDIENCES.demo);
  tell({
    what: `For fifteen minutes, this is ${ADA.name} in Jira, who reads the settings:`,
    authorization: `JWT ${await site.contextJwt("jira", ADA.accountId)}`,
    url: `${appUrl}/api/v1/settings`,
  });
  tell({
    what: `For as long, this is ${GRACE.name} in Jira, who looks at her own link:`,
    authorization: `JWT ${await site.contextJwt("jira", GRACE.accountId)}`,
    url: `${appUrl}/api/v1/me`,
  });
  tell({
    what: `For a day, this is the demo service, which asks who ${GRACE.name} is:`,
    authorization: `Bearer ${accessJwt}`,
    url: `${ofSite}/identity?product=jira&audience=${AUDIENCES.demo}`,
  });
  const acting = {
    what: `For as long, this is the demo service, which reads an issue in Jira as ${GRACE.name}:`,
    authorization: `Bearer ${accessJwt}`,
    url: `${ofSite}/jira/rest/api/3/issue/SAND-1`,
  };
  tell(acting);
  await tellWhatIsInTheWay({ world, transcript }, acting);
}

/** A service acts only where an admin and the person let it, and both may have changed their minds. */
async function tellWhatIsInTheWay(
  { world, transcript }: Pick<Stage, "world" | "transcript">,
  { url, authorization }: CurlCall,
): Promise<void> {
  const call = { caller: "The demo service", method: "GET", url, headers: { authorization } };
  const { status, body } = await transcript.aside(() => world.parts.client.send(call));
  if (status < 400) return;
  const { code, detail, consentUrl, linkUrl } = body as Refusal;
  const remedy = consentUrl ?? linkUrl;
  transcript.say(
    `As things are, that is refused: ${code}. ${detail}${remedy ? " Put it right here, and repeat the call:" : ""}`,
  );
  if (remedy) transcript.print(`\n${remedy}`);
}

interface Refusal {
  readonly code: string;
  readonly detail: string;
  readonly consentUrl?: string;
  readonly linkUrl?: string;
}
