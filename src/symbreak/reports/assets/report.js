// The page is whole without scripts, but for sorting and the network diagram.
"use strict";
(() => {
  const { network, slider, number, data } = window.Symbreak;
  const infinities = { inf: Infinity, "-inf": -Infinity };

  // Sorting: numbers by size, words by the alphabet; what is missing stands last.
  function keyOf(text) {
    if (text in infinities) return infinities[text];
    const value = Number(text);
    return text === "" || text === "nan" ? null : Number.isNaN(value) ? text : value;
  }

  function compare(one, other, sign) {
    if (one === null || other === null) return (one === null) - (other === null);
    if (typeof one === "number" && typeof other === "number") return sign * (one < other ? -1 : one > other ? 1 : 0);
    return sign * String(one).localeCompare(String(other), "en");
  }

  function sortBy(header) {
    const table = header.closest("table"), body = table.tBodies[0];
    const sign = header.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const key = (row) => keyOf(row.cells[header.cellIndex].dataset.key);
    const rows = [...body.rows].sort((one, other) => compare(key(one), key(other), sign));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    body.append(...rows);
  }

  for (const button of document.querySelectorAll("table.sortable th button")) {
    button.addEventListener("click", () => sortBy(button.closest("th")));
  }

  function sentence(found, index, equal) {
    const hidden = found.distinct[index].map((n, layer) => `${n} of ${found.sizes[layer + 1]}`);
    const J = found.J === null ? "" : ` J = ${number(found.J[index])}.`;
    const units = hidden.length ? ` Distinct hidden units: ${hidden.join(", ")}.` : "";
    const when = found.when || `After ${found.iterations[index]} ${found.iterations[index] === 1 ? "iteration" : "iterations"}`;
    return `${when}:${J}${units} ${equal}`;
  }

  const root = document.getElementById("network-diagram");
  if (root) {
    const found = data().network, words = root.querySelector(".sentence");
    const show = network(root.querySelector(".drawing"), found.picture, "The network");
    const change = (index) => { words.textContent = sentence(found, index, show(index)); };
    slider(root.querySelector(".slider"), found.iterations, change, "Iteration");
    change(0);
  }
})();
