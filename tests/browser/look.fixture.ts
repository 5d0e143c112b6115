/** How a browser shows pages. */
export interface Look {
  readonly theme: "light" | "dark";
  /** Of the window, in CSS pixels. */
  readonly width: number;
}

export const LIGHT_WIDE: Look = { theme: "light", width: 1200 };
export const DARK_NARROW: Look = { theme: "dark", width: 400 };
