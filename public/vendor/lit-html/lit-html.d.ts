// The file itself comes from the package: src/web/public-files.ts.
export * from "lit-html";
