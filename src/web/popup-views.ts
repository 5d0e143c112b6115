import type { Response } from "express";

import type { IdentityLink } from "../links/identity-link.js";
import type { PopupCodes } from "../links/link-attempt-service.js";
import type { PopupAdvice } from "./popup-advice.js";
import type { Problem } from "./problem-response.js";
import { listModules } from "./public-files.js";
import { SCRIPTED_PAGE_POLICY, type SecurityHeaders } from "./security-headers.js";
import type { UnverifiedSight } from "./unverified-sight.js";
import { createView, type PageLocals } from "./views.js";

/** Both sides of what would be joined, in the words of the people concerned. */
export interface PopupSides {
  readonly attempt: string;
  readonly email: string;
  readonly teamDomain: string;
  readonly signOutUrl: string;
  readonly site: string;
  readonly product: string;
  readonly account: string;
  readonly accountId: string;
}

export interface PopupQuestion extends PopupSides {
  /** False when this browser didn't open the window from Jira or Confluence: then it warns. */
  readonly isTiedToOpener: boolean;
  /** This identity has confirmed once already: the window was loaded again. */
  readonly isClaimed: boolean;
  readonly otherLink: OtherLink | null;
  /** It was removed in this window, just now. */
  readonly isAfterRemoval: boolean;
}

/** What its holder may know of a link to another account: everything but the account. */
interface OtherLink {
  readonly linkedOn: string;
  readonly lastUsedOn: string | null;
}

export interface PopupRefusal {
  readonly problem: Problem;
  readonly advice: PopupAdvice;
  readonly sight: UnverifiedSight | null;
  readonly email: string | null;
  readonly signOutUrl: string | null;
  readonly retryUrl: string | null;
}

/**
 * Under `no-referrer` browsers send `Origin: null` with forms (Fetch standard, "append a request Origin header"), and
 * the same-origin check would refuse them. The address, which names the attempt, goes to our own host alone.
 */
const FORM_HEADERS: SecurityHeaders = { "Referrer-Policy": "same-origin" };

interface LayoutLocals extends PageLocals {
  readonly layout: "popup-layout";
  /** What the script imports, so that the browser needn't find out file by file. */
  readonly modules: readonly string[];
}

export function presentOtherLink({ linkedAt, lastUsedAt }: IdentityLink): OtherLink {
  return { linkedOn: DATE_FORMAT.format(linkedAt), lastUsedOn: lastUsedAt && DATE_FORMAT.format(lastUsedAt) };
}

/** Nobody knows the reader's time zone here. */
const DATE_FORMAT = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" });

export const renderPopupConfirm = createPopupView<PopupQuestion>(
  "popup-confirm",
  () => "Link Cloudflare Access",
  FORM_HEADERS,
);

export const renderPopupCode = createPopupView<PopupSides & PopupCodes>(
  "popup-code",
  () => "Your one-time code",
  FORM_HEADERS,
);

export const renderPopupProblem = createPopupView<PopupRefusal>(
  "popup-problem",
  ({ advice }) => advice.title,
);

/** In the layout of the linking window, and under the policy that lets its script run. */
function createPopupView<Locals extends object>(
  name: string,
  titleOf: (locals: Locals) => string,
  headers: SecurityHeaders = {},
) {
  const render = createView<Locals & LayoutLocals>(name);
  const modules = listModules("popup.js");
  return async (res: Response, locals: Locals): Promise<string> => {
    res.set({ "Content-Security-Policy": SCRIPTED_PAGE_POLICY, ...headers });
    return render(res, { ...locals, title: titleOf(locals), layout: "popup-layout", modules });
  };
}
