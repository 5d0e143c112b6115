import type { IncomingMessage } from "node:http";

import type { Actor } from "../audit/audit-event.js";
import type { Initiator } from "../audit/audit-log.js";
import { getRequestContext } from "./request-context.js";

/** Who does something by this request, for the audit log. */
export function createInitiator(req: IncomingMessage, actor: Actor): Initiator {
  const { ip, isThroughForge, reference } = getRequestContext(req);
  // The address would be that of Atlassian's servers.
  return { actor, ip: isThroughForge ? null : ip, reference };
}
