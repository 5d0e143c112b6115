import { existsSync, readFileSync } from "node:fs";
import ts from "typescript";

const RUNNERS: ReadonlySet<string> = new Set(["it", "test", "describe"]);
const NOT_RUN = /\.(?:skip|todo)\b/;

/**
 * What a file lacks of a test that somebody refers to, or null: the title must be that of an `it` or `describe`, or the
 * name of a row in a table of cases, whole and in a place that runs.
 */
export function findMissingTitle(file: string, title: string): string | null {
  if (!existsSync(file)) return file;
  return listTitles(file).has(withSingleSpaces(title)) ? null : `${file} › ${title}`;
}

const titles = new Map<string, ReadonlySet<string>>();

function listTitles(file: string): ReadonlySet<string> {
  const known = titles.get(file);
  if (known) return known;
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (isNotRun(node)) return;
    const title = readTitle(node);
    if (title !== null) found.add(withSingleSpaces(title));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true));
  titles.set(file, found);
  return found;
}

function isNotRun(node: ts.Node): boolean {
  return ts.isCallExpression(node) && isRunner(node) && NOT_RUN.test(node.expression.getText());
}

function readTitle(node: ts.Node): string | null {
  if (ts.isCallExpression(node) && isRunner(node)) return readText(node.arguments[0]);
  if (ts.isArrayLiteralExpression(node) && isRow(node)) return readText(node.elements[0]);
  if (isNamedRow(node)) return readText(node.name);
  if (isNameOfRow(node)) return readText(node.initializer);
  return ts.isStringLiteralLike(node) && (isTableOfNames(node.parent) || isGivenWithCases(node))
    ? node.text
    : null;
}

/** `it(…)`, `it.only(…)`, `describe.each(…)(…)`, and `it.each` with its table. */
function isRunner({ expression }: ts.CallExpression): boolean {
  let called: ts.Node = expression;
  while (ts.isCallExpression(called) || ts.isPropertyAccessExpression(called)) called = called.expression;
  return ts.isIdentifier(called) && RUNNERS.has(called.text);
}

/** `["what it is", …]` in a list of such. */
function isRow({ parent }: ts.ArrayLiteralExpression): boolean {
  return ts.isArrayLiteralExpression(parent);
}

/** `"what it is": {…}` in a table whose rows have names. */
function isNamedRow(node: ts.Node): node is ts.PropertyAssignment {
  return ts.isPropertyAssignment(node) && ts.isObjectLiteralExpression(node.initializer);
}

/** `{ name: "what it is", … }`. */
function isNameOfRow(node: ts.Node): node is ts.PropertyAssignment {
  return ts.isPropertyAssignment(node) && ts.isIdentifier(node.name) && node.name.text === "name";
}

/** `describeRules("what it is", [case, …])`: a helper makes tests, or rows, of a list. */
function isGivenWithCases({ parent }: ts.Node): boolean {
  return (
    ts.isCallExpression(parent) &&
    ts.isIdentifier(parent.expression) &&
    parent.arguments.some(ts.isArrayLiteralExpression)
  );
}

/** `it.each(["what it is", …])`. */
function isTableOfNames(node: ts.Node | undefined): boolean {
  return (
    node !== undefined &&
    ts.isArrayLiteralExpression(node) &&
    ts.isCallExpression(node.parent) &&
    isRunner(node.parent)
  );
}

function readText(node: ts.Node | undefined): string | null {
  if (!node) return null;
  if (ts.isStringLiteralLike(node)) return node.text;
  return ts.isTemplateExpression(node) ? node.getText().slice(1, -1) : null;
}

function withSingleSpaces(title: string): string {
  return title.replace(/\s+/g, " ");
}
