// The lesson's tables. Text only ever enters the page as text.
"use strict";
(() => {
  const { html, number, short } = window.Symbreak;

  // A cell is a word or {value}, a number. A wide table scrolls in a region of its own, which is named
  // by its caption and, where there is one on each side, by the side.
  function table(caption, heads, rows, { names = [], side = "" } = {}) {
    const cell = (content, i) => {
      const text = typeof content === "object" && content !== null ? content.value : content;
      return i === 0 ? html("th", { scope: "row", title: text }, short(text, 40))
        : html("td", { className: typeof content === "object" ? "number" : "" }, text);
    };
    const head = html("tr", {}, ...heads.map((word) => html("th", { scope: "col" }, word)));
    const body = rows.map((row, r) => html("tr", { className: names[r] || "" }, ...row.map(cell)));
    const grid = html("table", {}, html("caption", {}, caption), html("thead", {}, head), html("tbody", {}, ...body));
    const region = html("div", { className: "scroll", tabIndex: 0 }, grid);
    region.setAttribute("role", "region");
    region.setAttribute("aria-label", side ? `${caption}, ${side}` : caption);
    return region;
  }

  const value = (found) => ({ value: number(found) });

  function deltas(snapshot, { examples, classes, few }, side) {
    const rows = few.map((place, i) => [
      `${examples[place].row}: ${classes[examples[place].class]}`,
      value(snapshot.a[0][place]), value(snapshot.a[1][place]), value(snapshot.delta[0][i]), value(snapshot.delta[1][i])]);
    return table("Units 1 and 2 of layer 2", ["Example: class", "a₁", "a₂", "δ₁", "δ₂"], rows, { side });
  }

  // Equal is what was equal before the numbers were cut to a few digits.
  function derivatives(snapshot, pairs, side) {
    const equal = snapshot.gaps.filter((gap) => gap === 0).length;
    const rows = pairs.map(([first, second], i) => {
      const [one, other] = snapshot.derivatives[i], gap = snapshot.gaps[i];
      return [first, value(one), second, value(other), gap === 0 ? { value: "equal" } : value(gap)];
    });
    return table(`${equal} of ${pairs.length} pairs are equal`,
      ["Unit 1", "∂J", "Unit 2", "∂J", "Difference"], rows, { side });
  }

  Object.assign(window.Symbreak, { table, deltas, derivatives, value });
})();
