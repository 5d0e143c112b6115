import express from "express";
import { expect, it, onTestFinished } from "vitest";

import { startTestServer } from "./http-server.fixture.js";
import { createView, useViews, type PageLocals } from "./views.js";

const renderProblem = createView<PageLocals & { readonly problem: { readonly detail: string } }>("problem");

it("refuses wrong locals when it is compiled", () => {
  const { response } = express();
  const calls = [
    () => renderProblem(response, { title: "x", problem: { detail: "x" } }),
    // @ts-expect-error -- every page has a title
    () => renderProblem(response, { problem: { detail: "x" } }),
    // @ts-expect-error -- this template shows a detail
    () => renderProblem(response, { title: "x", problem: {} }),
  ];

  expect(calls).toHaveLength(3);
});

it("rejects when the template can't be rendered", async () => {
  const renderMissing = createView("there-is-no-such-template");
  const running = await startTestServer({}, (app) => {
    useViews(app, { basePath: "/base" });
    app.get("/page", async (_req, res) => {
      res.send(await renderMissing(res, { title: "x" }));
    });
    app.get("/problem", async (_req, res) => {
      res.send(await renderProblem(res, { title: "Title & all", problem: { detail: "x" } }));
    });
  });
  onTestFinished(() => running.close());

  expect((await fetch(`${running.url}/page`)).status).toBe(500);
  const html = await (await fetch(`${running.url}/problem`)).text();
  expect(html).toMatch(/href="\/base\/public\/[0-9a-f]{16}\/style\.css"/);
  expect(html).toContain("<title>Title &amp; all – Access for Atlassian Cloud</title>");
});
