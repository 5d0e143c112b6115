import type { Product } from "../tenants/tenant.js";
import type { Problem } from "./problem-response.js";
import { createView, type PageLocals } from "./views.js";

/** A page in a frame of the product, which its script fills. */
export interface FramedPageLocals extends PageLocals {
  readonly layout: false;
  readonly product: Product;
  readonly allJsUrl: string;
  /** Below `publicPath`. */
  readonly script: string;
  readonly styles: readonly string[];
  /** What the script imports, so that the browser needn't find out file by file. */
  readonly modules: readonly string[];
}

export const renderFramedPage = createView<FramedPageLocals>("page");

export const renderFramedProblem = createView<
  PageLocals & { readonly layout: false; readonly allJsUrl: string; readonly problem: Problem }
>("page-problem");
