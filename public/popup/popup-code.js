const HALF = 5;

/** Two halves are easier to type than ten characters; the text stays the code and nothing else. */
export function groupCode() {
  const output = document.getElementById("link-code");
  const code = output?.textContent.trim() ?? "";
  if (!output || code.length <= HALF) return;
  output.replaceChildren(
    ...[code.slice(0, HALF), code.slice(HALF)].map((half) => {
      const part = document.createElement("span");
      part.className = "code-part";
      part.textContent = half;
      return part;
    }),
  );
}
