// Search and filters of the report, by hand. It reads the text that is on the page, hides what does not match, and does nothing else.
// Without it the page is whole; on paper everything is shown, since what it hides is hidden by the screen's style alone.
"use strict";
(() => {
  const bar = document.getElementById("filter");
  if (!bar) {
    return;
  }
  const all = (selector, within) => [...(within || document).querySelectorAll(selector)];
  const field = (name) => document.getElementById("filter-" + name);
  const value = (name) => (field(name) ? field(name).value : "");
  const plain = (text) => text.normalize("NFKC").toLowerCase().replace(/\s+/g, " ");
  const text = field("text");
  const told = field("told");
  const clear = field("clear");
  const articles = all("article.control");
  const entries = new Map(all(".contents li li").map((entry) => [entry.querySelector("a").hash.slice(1), entry]));

  // A row of a table of resources: its name and id, and why.
  const row = (element) => ({ element, text: plain([...element.cells].slice(0, 2).map((cell) => cell.textContent).join(" ")) });

  // An article, or the page of one control: its id, title and reasons, and its rows.
  const unit = (element) => ({
    element,
    entry: entries.get(element.id),
    head: plain(all("h3, .finding .reasons", element).map((part) => part.textContent).join(" ")),
    rows: all("table.results tbody tr", element).map(row),
    folds: all("details", element).filter((fold) => fold.querySelector("table.results")),
  });
  let units = null;

  // Each control has one of each; of what it helps to meet, any counts, and a framework stands for all of its criteria.
  const wanted = (data, chosen) =>
    (chosen.conclusions.length === 0 || chosen.conclusions.includes(data.conclusion)) &&
    (chosen.severity === "" || chosen.severity === data.severity) &&
    (chosen.owner === "" || chosen.owner === data.owner) &&
    (chosen.criterion === "" || data.criteria.split(" ").some((id) => id === chosen.criterion || (chosen.criterion.endsWith(":") && id.startsWith(chosen.criterion))));

  const choice = () => ({
    words: plain(text.value).split(" ").filter((word) => word !== ""),
    conclusions: all("input[type=checkbox]", bar).filter((box) => box.checked).map((box) => box.value),
    severity: value("severity"),
    owner: value("owner"),
    criterion: value("criterion"),
  });

  // Folds are opened where a search finds something in them, and only what was opened here is closed again.
  const fold = (of, searching) =>
    of.folds.forEach((element) => {
      const found = searching && all("tbody tr:not(.out)", element).length > 0;
      if (found && !element.open) {
        element.open = true;
        element.dataset.opened = "";
      } else if (!found && "opened" in element.dataset) {
        element.open = false;
        delete element.dataset.opened;
      }
    });

  const show = (of, chosen) => {
    const has = (where) => chosen.words.every((word) => where.includes(word));
    const known = articles.length === 0 || wanted(of.element.dataset, chosen);
    const head = chosen.words.length === 0 || (articles.length > 0 && has(of.head));
    of.rows.forEach((one) => one.element.classList.toggle("out", !head && !has(one.text)));
    const shown = of.rows.filter((one) => !one.element.classList.contains("out")).length;
    const seen = known && (head || shown > 0 || articles.length === 0);
    of.element.classList.toggle("out", !seen);
    of.element.classList.toggle("narrowed", shown !== of.rows.length);
    if (of.entry) {
      of.entry.classList.toggle("out", !seen);
    }
    fold(of, seen && !head);
    return { seen: seen ? 1 : 0, rows: seen ? shown : 0, all: of.rows.length };
  };

  const say = (results, active) => {
    const sum = (name) => results.reduce((total, one) => total + one[name], 0);
    const number = (count) => count.toLocaleString("en-US");
    const rows = number(sum("rows")) + " of " + number(sum("all")) + " rows of resources";
    const controls = number(sum("seen")) + " of " + number(results.length) + " controls";
    const what = articles.length === 0 ? rows : active ? controls + ", " + rows : controls;
    told.textContent = "Showing " + what + ". " + (active ? "Printing shows all." : "");
  };

  const apply = () => {
    units = units || (articles.length ? articles : all("main")).map(unit);
    const chosen = choice();
    const active = chosen.words.length + chosen.conclusions.length > 0 || (chosen.severity + chosen.owner + chosen.criterion) !== "";
    say(units.map((of) => show(of, chosen)), active);
    clear.disabled = !active;
  };

  const reset = () => {
    all("input[type=checkbox]", bar).forEach((box) => (box.checked = false));
    all("select", bar).forEach((list) => (list.selectedIndex = 0));
    text.value = "";
    apply();
  };

  // A link to something that is filtered out shows all again, so that no link leads nowhere.
  const uncover = (name) => {
    const target = document.getElementById(name);
    if (target && target.closest(".out")) {
      reset();
      target.scrollIntoView();
    }
  };

  bar.addEventListener("input", apply);
  clear.addEventListener("click", () => {
    reset();
    text.focus();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (link && link.matches("[href^='#']")) {
      uncover(link.hash.slice(1));
    }
  });
  addEventListener("hashchange", () => uncover(location.hash.slice(1)));
  bar.hidden = false;
  apply();
})();
