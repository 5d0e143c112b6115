import type { PopupCodes } from "../links/link-attempt-service.js";
import { createView, type PageLocals } from "./views.js";

/** Both sides of what would be joined, in the words of the people concerned. */
export interface PopupSides {
  readonly email: string;
  readonly site: string;
  readonly product: string;
  readonly account: string;
  readonly accountId: string;
  /** False when this browser didn't open the window from Jira or Confluence: then it warns. */
  readonly isTiedToOpener: boolean;
  readonly hasOtherLink: boolean;
}

export const renderPopupConfirm = createView<PopupSides & PageLocals>("popup-confirm");

export const renderPopupCode = createView<
  PopupSides & PopupCodes & PageLocals & { readonly attempt: string }
>("popup-code");
