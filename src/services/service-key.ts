import { randomBytes, timingSafeEqual } from "node:crypto";

import { createId, sha256Hex } from "../identifiers.js";
import type { ServiceKey, TrustedService } from "./settings.js";

/** So that one can be replaced by another while both are good. */
export const MAX_SERVICE_KEYS = 2;

const HINT_LENGTH = 4;

/** A new key, in clear for whoever made it and as it is stored. */
export function createServiceKey(now: Date): { readonly key: string; readonly stored: ServiceKey } {
  const key = `sk_${randomBytes(32).toString("base64url")}`;
  const stored = {
    id: createId(),
    hash: sha256Hex(key),
    hint: key.slice(-HINT_LENGTH),
    createdAt: now.toISOString(),
  };
  return { key, stored };
}

/** Which of the service's keys was sent along. As long for a near miss as for a wild guess. */
export function findShownKey({ keys }: TrustedService, sent: string | null): ServiceKey | null {
  if (sent === null || keys.length === 0) return null;
  const hash = Buffer.from(sha256Hex(sent));
  const [shown = null] = keys.filter((key) => timingSafeEqual(Buffer.from(key.hash), hash));
  return shown;
}
