import { NoAnswerError } from "../errors.js";

/** Fetches what isn't needed for the first view, once. Throws NoAnswerError when it doesn't come. */
export async function loadLaterParts() {
  try {
    return await import("./later-parts.js");
  } catch (error) {
    throw new NoAnswerError("A part of the page didn’t load.", { cause: error });
  }
}
