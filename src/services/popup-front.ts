import type { Settings } from "./settings.js";
import { findLinkService } from "./settings.js";

/** What stands in front of the popup's path, as somebody without any credentials meets it. */
export type FrontSight =
  /** Sent to sign in: at a team, if the address is one, and for an application, if the address names it. */
  | { readonly kind: "sign_in"; readonly teamDomain: string | null; readonly audience: string | null }
  /** The app itself answered. */
  | { readonly kind: "open" }
  | { readonly kind: "unreachable"; readonly reason: string }
  | { readonly kind: "other"; readonly status: number };

export interface PopupFront {
  /** The address that is looked at: the popup's path at the app's public URL. */
  readonly url: string;
  /** Never throws. */
  look(): Promise<FrontSight>;
}

export type PopupFinding =
  | "behind_access"
  | "no_link_service"
  | "open"
  | "other_team"
  | "other_application"
  | "unreachable"
  | "unclear";

/** Whether people who link get an Access JWT that this tenant trusts: the likeliest mistake is that they don't. */
export interface PopupCheck {
  readonly ok: boolean;
  readonly url: string;
  readonly finding: PopupFinding;
  /** Where the path sends people to sign in. */
  readonly teamDomain: string | null;
  readonly audience: string | null;
  readonly detail: string;
}

/** Compares what stands in front of the popup with what an admin entered. */
export function judgePopupFront(url: string, sight: FrontSight, settings: Settings): PopupCheck {
  const finding = findingOf(sight, settings);
  return {
    ok: finding === "behind_access",
    url,
    finding,
    teamDomain: sight.kind === "sign_in" ? sight.teamDomain : null,
    audience: sight.kind === "sign_in" ? sight.audience : null,
    detail: DETAILS[finding](sight),
  };
}

function findingOf(sight: FrontSight, settings: Settings): PopupFinding {
  if (sight.kind === "other") return "unclear";
  if (sight.kind !== "sign_in") return sight.kind;
  if (sight.teamDomain === null) return "unclear";
  if (settings.teamDomain !== null && sight.teamDomain !== settings.teamDomain) return "other_team";
  const service = findLinkService(settings);
  // Before anything is entered, what stands there shows what to enter.
  if (!service) return settings.teamDomain === null ? "behind_access" : "no_link_service";
  return sight.audience !== null && sight.audience !== service.audience
    ? "other_application"
    : "behind_access";
}

const DETAILS: Readonly<Record<PopupFinding, (sight: FrontSight) => string>> = {
  behind_access: () => "The linking window is behind Access: whoever opens it has to sign in first.",
  no_link_service: () =>
    "The linking window is behind Access, but nobody can link: no trusted service has the purpose link.",
  open: () =>
    "The linking window is not behind Access: the app answered without a sign-in. Put the path behind an Access application whose policy is Allow.",
  other_team: (sight) =>
    `The linking window is behind another Access team${sight.kind === "sign_in" && sight.teamDomain ? `, ${sight.teamDomain}` : ""}. Enter that team, or protect the path with yours.`,
  other_application: () =>
    "The linking window is behind another Access application than the one entered here. Compare the AUD tags.",
  unreachable: (sight) =>
    `The app could not reach its own public address to look${sight.kind === "unreachable" ? `: ${sight.reason}` : "."} Link your own account to see whether it works.`,
  unclear: (sight) =>
    sight.kind === "other"
      ? `Something else answered at this address, with status ${sight.status}. Link your own account to see whether it works.`
      : "The address asks for a sign-in, but not at Cloudflare Access. Link your own account to see whether it works.",
};
