import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

/** What a developer writes once around the generated types: calls by the names of the operations. */
const HELPER = `
import type { components, operations } from "./api.js";

type Id = keyof operations;
type Responses<O extends Id> = operations[O]["responses"];
type Json<R> = R extends { content: { "application/json": infer T } } ? T : undefined;
type Refused<R> = R extends { content: { "application/problem+json": infer P } } ? P : never;
type Body<O extends Id> = operations[O] extends { requestBody: { content: { "application/json": infer B } } } ? { body: B } : {};
type Values<O extends Id, In extends "path" | "query"> = operations[O]["parameters"][In];

export type Problem = components["schemas"]["Problem"];
export type Request<O extends Id> = Body<O> &
  (Values<O, "path"> extends object ? { path: Values<O, "path"> } : {}) &
  (Values<O, "query"> extends object | undefined ? { query?: Values<O, "query"> } : {});
export type Answer<O extends Id> = {
  [S in keyof Responses<O>]: { status: S; json: Json<Responses<O>[S]>; problem: Refused<Responses<O>[S]>; headers: HeadersOf<Responses<O>[S]> };
}[keyof Responses<O>];
type HeadersOf<R> = R extends { headers: infer H } ? H : never;
export declare function call<O extends Id>(id: O, request: Request<O>): Promise<Answer<O>>;
export declare function never(value: never): never;
`;

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: [],
};

/**
 * Compiles programs against the types that are generated from a document, in memory. Answers what the strict compiler
 * complains of, by the file's name; what the types themselves are blamed for stands under `api` and `helper`.
 */
export async function compileClients(
  document: object,
  programs: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const types = astToString(await openapiTS(document as Parameters<typeof openapiTS>[0]));
  const sources = Object.entries({ api: types, helper: HELPER, ...programs });
  const files = new Map(sources.map(([name, text]) => [`/client/${name}.ts`, text]));
  const host = ts.createCompilerHost(OPTIONS);
  const compiled = ts.createProgram([...files.keys()], OPTIONS, {
    ...host,
    directoryExists: (name) => name === "/client" || host.directoryExists?.(name) === true,
    fileExists: (name) => files.has(name) || host.fileExists(name),
    readFile: (name) => files.get(name) ?? host.readFile(name),
    getSourceFile: (name, version) => {
      const source = files.get(name);
      return source === undefined
        ? host.getSourceFile(name, version)
        : ts.createSourceFile(name, source, version);
    },
  });
  const complaints = new Map<string, string[]>(sources.map(([name]) => [name, []]));
  for (const { file, messageText } of ts.getPreEmitDiagnostics(compiled)) {
    const [, name = "api"] = /^\/client\/(.*)\.ts$/.exec(file?.fileName ?? "") ?? [];
    complaints.get(name)?.push(ts.flattenDiagnosticMessageText(messageText, " "));
  }
  return complaints;
}
