import { describe, expect, it } from "vitest";

import { accountAnswer } from "./account-answer.js";

function nameOf(displayName: string | undefined): string | null {
  const answer = { accountId: "a", accountType: "atlassian", displayName };
  return accountAnswer("a").parse(answer).displayName;
}

describe("the name of an account", () => {
  it.each<[what: string, sent: string | undefined, shown: string | null]>([
    ["is as the product says", "Grace Hopper", "Grace Hopper"],
    ["keeps other scripts and their marks", "สมชาย ใจดี", "สมชาย ใจดี"],
    ["is in composed form", "Ame\u0301lie", "Amélie"],
    ["has no marks of direction", "Grace\u202e reppoH", "Grace reppoH"],
    ["has no line breaks", "Grace\n\u2028Hopper", "Grace Hopper"],
    ["has no half of a surrogate pair", "Grace\ud800", "Grace"],
    ["has at most two combining marks in a row", `Gra${"\u0329".repeat(30)}ce`, "Gra\u0329\u0329ce"],
    ["begins with no mark, which would sit on the text before", "\u0336Grace", "Grace"],
    ["isn't longer than two hundred characters", "𝒢".repeat(300), "𝒢".repeat(200)],
    ["is none without a letter or a digit", "… — …", null],
    ["is none with letters that have no shape", "\u3164\u115f\uffa0", null],
    ["is none when empty", " ", null],
    ["is none when the product tells none", undefined, null],
  ])("%s", (_what, sent, shown) => {
    expect(nameOf(sent)).toBe(shown);
  });
});
