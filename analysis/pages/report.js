"use strict";
// Tables that sort by a click on a title and filter by words. Without this they are tables all
// the same, and contents that fold. Of a long one a part is laid out at a time: 10,000 rows at once take the
// browser five seconds, at every sort again.
(() => {
  const AT_ONCE = 500;
  const words = new Intl.Collator("en", { numeric: true });

  const keyOf = (row, place, isNumber) => {
    const text = row.cells[place].textContent.trim();
    if (text === "") return null;
    return isNumber ? Number(text.replaceAll(/,|^< /g, "")) : text; // "< 0.0001" is a p value
  };

  // Rows without a value come last, whichever way the others go.
  const sorted = (rows, place, isNumber, sign) => {
    const compare = isNumber ? (a, b) => a - b : words.compare;
    return rows
      .map((row) => [keyOf(row, place, isNumber), row])
      .sort(([a], [b]) =>
        a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b))
      .map(([, row]) => row);
  };

  // On a telephone a list of all sections would fill the first screen.
  if (window.matchMedia("(max-width: 40rem)").matches) {
    document.querySelector("nav details").open = false;
  }

  for (const table of document.querySelectorAll("table[data-sortable]")) {
    const body = table.tBodies[0];
    const tools = document.getElementById(`${table.id}-tools`);
    const [filter, count, more] = ["input", "output", "button"].map((tag) =>
      tools.querySelector(tag));
    const titles = [...table.tHead.rows[0].cells];
    const texts = new Map(); // of rows, in small letters; made when first asked for
    let rows = [...body.rows];
    let limit = AT_ONCE;

    const textOf = (row) => {
      if (!texts.has(row)) {
        texts.set(row, [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase());
      }
      return texts.get(row);
    };

    const show = () => {
      const asked = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      const fitting = asked.length
        ? rows.filter((row) => asked.every((word) => textOf(row).includes(word)))
        : rows;
      const shown = fitting.slice(0, limit);
      body.replaceChildren(...shown);
      const all = rows.length.toLocaleString("en");
      const found = fitting.length.toLocaleString("en");
      const fit = asked.length ? `${found} of ${all} rows fit` : `${all} rows`;
      const part = shown.length < fitting.length ? `, the first ${shown.length} are shown` : "";
      count.textContent = fit + part;
      more.hidden = shown.length === fitting.length;
    };

    titles.forEach((title, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...title.childNodes);
      title.append(button);
      title.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const up = title.getAttribute("aria-sort") !== "ascending";
        titles.forEach((other) => other.setAttribute("aria-sort", "none"));
        title.setAttribute("aria-sort", up ? "ascending" : "descending");
        rows = sorted(rows, place, title.hasAttribute("data-number"), up ? 1 : -1);
        show();
      });
    });
    filter.addEventListener("input", show);
    more.addEventListener("click", () => {
      limit += 2 * AT_ONCE;
      show();
    });
    tools.hidden = false;
    show();
  }
})();
