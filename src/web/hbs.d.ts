declare module "hbs" {
  type RenderCallback = (error: Error | null, html?: string) => void;

  interface Hbs {
    readonly __express: (path: string, options: object, callback: RenderCallback) => void;
  }

  const hbs: { create(): Hbs };
  export default hbs;
}
