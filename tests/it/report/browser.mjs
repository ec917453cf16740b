// Reads pages of the report in Chromium, from file://, and prints what it saw as JSON; what that has to be is for tests/it/report/browser.rs to say.
// node browser.mjs TOOLS PLAN, where PLAN is a JSON file: {"profile": folder, "visits": [{"file", "light", "queries", "pdf", "click", "looks"}]}
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [tools, planFile] = process.argv.slice(2);
const require = createRequire(join(tools, "package.json"));
const puppeteer = require("puppeteer-core");
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const plan = JSON.parse(readFileSync(planFile, "utf8"));

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];
// A busy machine may be slow; what never comes is a failure all the same.
const PATIENCE = 300_000;
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 390, height: 844 };
const LOOKS = ["wide light", "wide dark", "narrow light", "narrow dark"];
const FOCUSABLE = "a[href], button, input, select, summary, [tabindex='0']";

// A page of its own with everything that it says, asks for or is refused.
async function open(browser, file, { script = true, viewport = WIDE, scheme = "light" } = {}) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  const heard = { console: [], requests: [], refused: [], dialogs: [] };
  page.on("console", (message) => heard.console.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => heard.console.push(`error: ${error.message}`));
  page.on("request", (request) => heard.requests.push(request.url()));
  page.on("dialog", (dialog) => {
    heard.dialogs.push(dialog.message());
    dialog.dismiss();
  });
  await page.exposeFunction("refusedByPolicy", (what) => heard.refused.push(what));
  await page.evaluateOnNewDocument(() => {
    document.addEventListener("securitypolicyviolation", (event) => window.refusedByPolicy(`${event.violatedDirective} ${event.blockedURI}`));
  });
  await page.setJavaScriptEnabled(script);
  await page.setViewport(viewport);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
  return { page, heard };
}

// What stands on the page now, as a reader sees it.
const standing = () => {
  const seen = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
  const shown = (selector) => [...document.querySelectorAll(selector)].filter(seen);
  return {
    told: document.getElementById("filter-told")?.textContent ?? null,
    bar: shown("#filter").length,
    controls: shown("article.control").map((article) => article.id.replace("control-", "")),
    entries: shown(".contents li li a").map((link) => link.hash.replace("#control-", "")),
    rows: shown("table.results tbody tr").length,
    kept: [...document.querySelectorAll("table.results tbody tr")].filter((row) => !row.closest(".out")).length,
    all: document.querySelectorAll("table.results tbody tr").length,
    scripts: document.querySelectorAll("script").length,
    strangers: document.querySelectorAll("img, iframe, object, embed, link, form, [onerror], [onmouseover], [onclick]").length,
  };
};

async function skipLink(page) {
  await page.keyboard.press("Tab");
  const first = await page.evaluate(() => {
    const box = document.activeElement.getBoundingClientRect();
    return { skip: document.activeElement.matches("a.skip"), inSight: box.left >= 0 && box.top >= 0 && box.width > 0 };
  });
  await page.keyboard.press("Enter");
  return { ...first, leadsTo: await page.evaluate(() => document.activeElement.id) };
}

// Tab through the whole page, with filters on that hide nothing, so that what undoes them is there too: what can be used is reached, and one sees where one is.
async function tabThrough(page) {
  const boxes = await page.$$eval("#filter input[type=checkbox]", (all) => all.map((box) => box.click()).length);
  if (boxes === 0) {
    await page.type("#filter-text", "e");
  }
  const count = await page.evaluate((selector) => {
    const usable = (element) => !element.disabled && element.checkVisibility() && element.getClientRects().length > 0;
    const wanted = [...document.querySelectorAll(selector)].filter(usable);
    window.tabbing = { wanted, reached: new Set(), plain: new Set() };
    document.addEventListener("focusin", ({ target }) => {
      const style = getComputedStyle(target);
      window.tabbing.reached.add(target);
      if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 1) {
        window.tabbing.plain.add(target);
      }
    });
    document.activeElement.blur();
    getSelection().removeAllRanges();
    return wanted.length;
  }, FOCUSABLE);
  for (let n = 0; n < count + 3; n += 1) {
    await page.keyboard.press("Tab");
  }
  return page.evaluate(() => {
    const name = (element) => element.outerHTML.slice(0, 120);
    const { wanted, reached, plain } = window.tabbing;
    return { wanted: wanted.length, missed: wanted.filter((element) => !reached.has(element)).map(name), plain: [...plain].map(name) };
  });
}

// By hand as a reader would: typing, ticking, choosing.
async function ask(page, query) {
  await page.click("#filter-text");
  await page.type("#filter-text", query.text ?? "");
  for (const box of query.conclusions ?? []) {
    await page.click(`#filter input[value="${box}"]`);
  }
  for (const name of ["severity", "owner", "criterion"]) {
    if (query[name] !== undefined) {
      const value = await page.$eval(`#filter-${name}`, (list, label) => [...list.options].find((option) => option.textContent === label)?.value, query[name]);
      await page.select(`#filter-${name}`, value);
    }
  }
  const answer = await page.evaluate(standing);
  const cleared = await page.$eval("#filter-clear", (button) => !button.disabled && (button.click(), true));
  const after = await page.evaluate(standing);
  return { ...answer, cleared, after: { told: after.told, controls: after.controls.length, rows: after.rows, kept: after.kept } };
}

// A link to a control that is filtered out brings it back.
async function uncovers(page) {
  await page.type("#filter-text", "no control says this");
  const hidden = (await page.evaluate(standing)).controls.length;
  await page.evaluate(() => document.querySelector("#criteria a[href^='#control-']").click());
  const back = await page.evaluate(standing);
  return { hidden, back: back.controls.length, text: await page.$eval("#filter-text", (field) => field.value) };
}

async function paper(page, file) {
  await page.type("#filter-text", "no row says this");
  const screen = await page.evaluate(standing);
  await page.emulateMediaType("print");
  const print = await page.evaluate(standing);
  const pdf = Buffer.from(await page.pdf({ path: file, preferCSSPageSize: true, timeout: PATIENCE })).toString("latin1");
  await page.emulateMediaType("screen");
  return { screen, print, pages: [...pdf.matchAll(/\/Type\s*\/Page\b/g)].length };
}

async function judged(browser, file, looks) {
  const found = {};
  for (const look of looks) {
    const [size, scheme] = look.split(" ");
    const viewport = size === "wide" ? WIDE : NARROW;
    const { page } = await open(browser, file, { viewport, scheme });
    await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => (fold.open = true)));
    const width = await page.evaluate(() => document.scrollingElement.scrollWidth);
    await page.evaluate(axeSource);
    const result = await page.evaluate((values) => window.axe.run(document, { runOnly: { type: "tag", values }, resultTypes: ["violations"] }), RULES);
    const told = result.violations.map((rule) => `${rule.id}: ${rule.nodes.slice(0, 3).map((node) => `${node.target} ${node.html.slice(0, 120)}`).join(" | ")}`);
    found[look] = { violations: told, passes: result.passes.length, wider: width - viewport.width };
    await page.close();
  }
  return found;
}

async function visit(browser, { file, light, queries, pdf, click, looks }) {
  const { page, heard } = await open(browser, file);
  const seen = { first: await page.evaluate(standing), skip: await skipLink(page), queries: [] };
  if (click) {
    const follow = async (link) => {
      await page.focus(link);
      await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
      return page.url();
    };
    const there = await follow(`a[href="${click}"]`);
    const back = await follow(".kicker a");
    const top = await page.evaluate(() => document.querySelector(location.hash).getBoundingClientRect().top);
    return { ...seen, ...heard, there, back, top };
  }
  for (const query of queries ?? []) {
    seen.queries.push(await ask(page, query));
  }
  if (await page.$("#criteria a")) {
    seen.uncovers = await uncovers(page);
  }
  if (pdf) {
    seen.paper = await paper(page, pdf);
  }
  Object.assign(seen, structuredClone(heard));
  await page.close();
  const plain = await open(browser, file, { script: false });
  seen.withoutScript = await plain.page.evaluate(standing);
  await plain.page.close();
  if (!light) {
    const again = await open(browser, file);
    seen.tab = await tabThrough(again.page);
    await again.page.close();
    seen.axe = await judged(browser, file, looks ?? LOOKS);
  }
  return seen;
}

const browser = await puppeteer.launch({
  executablePath: plan.chromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  userDataDir: plan.profile,
  protocolTimeout: PATIENCE,
});
try {
  const seen = [];
  for (const one of plan.visits) {
    seen.push(await visit(browser, one));
  }
  process.stdout.write(JSON.stringify(seen));
} finally {
  await browser.close();
}
