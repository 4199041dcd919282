// The picture of a small network. Weights that are equal have one colour and one letter; those that
// are equal up to the sign are dashed. `Symbreak.network(host, picture)` draws into an element
// and returns show(index), which draws another of the picture's snapshots.
"use strict";
window.Symbreak = window.Symbreak || {};
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const COLOURS = 6, ROW = 34, WIDEST = 190, SIDE = 46, RADIUS = 13, TOP = 44, MOST_LETTERS = 40;
  let count = 0;

  function svg(name, attributes = {}, text) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function html(name, properties = {}, ...children) {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  }

  // 1 -> A, 26 -> Z, 27 -> AA.
  function letter(number) {
    let word = "";
    for (let n = number; n > 0; n = Math.floor((n - 1) / 26)) {
      word = String.fromCharCode(65 + ((n - 1) % 26)) + word;
    }
    return word;
  }

  // As short as it can be without another value: the page stores what it shows.
  function number(value) {
    if (typeof value !== "number") return value === null || value === undefined ? "–" : String(value);
    const size = Math.abs(value);
    if (value !== 0 && (size < 1e-3 || size >= 1e5)) {
      return value.toExponential().replace("-", "−").replace("e-", "e−").replace("e+", "e");
    }
    return String(value).replace("-", "−");
  }

  // A long name is cut; whoever shows it gives the whole one as a tooltip.
  function short(name, most = 24) {
    const characters = [...name];
    return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : name;
  }

  // Where every unit stands; unit 0 of all layers but the last is the bias. Columns stand as far apart
  // as the space allows, so that words keep their size on a phone.
  function places(picture, space) {
    const heights = picture.layers.map((layer) => layer.nodes.length);
    const tallest = Math.max(...heights);
    const apart = Math.max(90, Math.min(WIDEST, (space - 2 * SIDE) / (heights.length - 1)));
    return picture.layers.map((layer, l) => layer.nodes.map((name, i) => ({
      name, title: layer.titles ? layer.titles[i] : name, x: SIDE + l * apart, y: TOP + ((tallest - heights[l]) / 2 + i + 0.5) * ROW,
      bias: layer.bias && i === 0,
    })));
  }

  function edges(picture, nodes) {
    const found = [];
    for (let l = 0; l + 1 < nodes.length; l++) {
      const offset = picture.layers[l + 1].bias ? 1 : 0;
      const rows = picture.snapshots[0].weights[l];
      rows.forEach((row, i) => row.forEach((_, j) => {
        found.push({ l, i, j, from: nodes[l][j], to: nodes[l + 1][i + offset],
          name: picture.names[l][i][j] });
      }));
    }
    return found;
  }

  function words(edge, weight, label, sizes) {
    const group = label === 0 ? "equal to no other weight shown"
      : `${letter(Math.abs(label))}: one of ${sizes.get(Math.abs(label))} equal weights`
        + (label < 0 ? ", with the other sign" : "");
    return `${edge.name} = ${number(weight)}; ${group}`;
  }

  function draw(picture, title, space) {
    const nodes = places(picture, space);
    const width = SIDE + nodes.at(-1)[0].x;
    const height = TOP + Math.max(...nodes.map((column) => column.length)) * ROW + 26;
    const id = `network-${++count}`;
    const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, role: "img",
      "aria-labelledby": `${id}-title ${id}-text` });
    root.append(svg("title", { id: `${id}-title` }, title));
    const text = svg("desc", { id: `${id}-text` });
    root.append(text);
    const lines = edges(picture, nodes).map((edge) => {
      const line = svg("path", { d: `M${edge.from.x},${edge.from.y}L${edge.to.x},${edge.to.y}` });
      const tip = svg("title");
      line.append(tip);
      root.append(line);
      return { ...edge, line, tip };
    });
    const letters = lines.length <= MOST_LETTERS ? lines.map((edge) => place(root, edge)) : [];
    nodes.forEach((column, l) => unitColumn(root, picture.layers[l], column, height));
    return { root, text, lines, letters };
  }

  // Letters stand at different shares of the way, so that those of crossing edges part.
  function place(root, edge) {
    const share = 0.3 + 0.12 * (edge.i % 4);
    const mark = svg("text", { class: "edge-letter", x: edge.from.x + share * (edge.to.x - edge.from.x),
      y: edge.from.y + share * (edge.to.y - edge.from.y) + 4 });
    root.append(mark);
    return mark;
  }

  function unitColumn(root, layer, column, height) {
    const x = column[0].x;
    root.append(svg("text", { class: "column-name", x, y: 16 }, layer.name));
    if (layer.shown < layer.units) {
      root.append(svg("text", { class: "column-part", x, y: 31 },
        `${layer.shown} of ${layer.units} shown`));
    }
    for (const node of column) {
      root.append(svg("circle", { class: node.bias ? "unit bias" : "unit", cx: node.x, cy: node.y,
        r: RADIUS }));
      const name = svg("text", { class: "unit-name", x: node.x, y: node.y + 4 }, short(node.name, 4));
      name.append(svg("title", {}, node.title));
      root.append(name);
    }
  }

  function table(caption) {
    const body = html("tbody");
    const head = html("tr", {}, ...["Weight", "Value", "Letter", "Sign"].map((word) =>
      html("th", { scope: "col" }, word)));
    const grid = html("table", {}, html("caption", {}, caption), html("thead", {}, head), body);
    const scroll = html("div", { className: "scroll", tabIndex: 0 }, grid);
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", caption);
    return { body, details: html("details", {}, html("summary", {}, "These weights as a table"), scroll) };
  }

  function equality(equal, all, colours, onlyBiases) {
    if (equal === 0) return `No two of the ${all} weights shown are equal.`;
    if (onlyBiases) return `Of the ${all} weights shown only the ${equal} biases that are 0 are equal.`;
    return `${equal} of ${all} weights shown are equal to another, in ${colours} ${colours === 1 ? "colour" : "colours"}.`;
  }

  function network(host, picture, title = "Network") {
    const parts = draw(picture, title, host.clientWidth || 600);
    const list = table(`${title}: the weights shown`);
    const figure = html("figure", { className: "network" });
    const drawing = html("div", { className: "scroll" }, parts.root);
    figure.append(drawing, list.details);
    host.replaceChildren(figure);

    function show(index) {
      const snapshot = picture.snapshots[index];
      const sizes = new Map();
      for (const { l, i, j } of parts.lines) {
        const group = Math.abs(snapshot.classes[l][i][j]);
        if (group) sizes.set(group, (sizes.get(group) || 0) + 1);
      }
      const largest = Math.max(1e-300, ...parts.lines.map(({ l, i, j }) =>
        Math.abs(Number(snapshot.weights[l][i][j])) || 0));
      const rows = parts.lines.map((edge, k) => {
        const weight = snapshot.weights[edge.l][edge.i][edge.j];
        const label = snapshot.classes[edge.l][edge.i][edge.j];
        const group = Math.abs(label);
        const names = ["edge"];
        names.push(group ? `class-${1 + ((group - 1) % COLOURS)}` : "single");
        if (label < 0) names.push("mirrored");
        if (weight === 0) names.push("zero");
        edge.line.setAttribute("class", names.join(" "));
        const share = Math.min(1, (Math.abs(Number(weight)) || 0) / largest);
        edge.line.setAttribute("stroke-width", (group ? 2 : 1) + 2.5 * share);
        edge.line.dataset.weight = weight;
        edge.line.dataset.group = label;
        edge.tip.textContent = words(edge, weight, label, sizes);
        if (parts.letters.length) parts.letters[k].textContent = group ? letter(group) : "";
        return html("tr", {}, html("th", { scope: "row" }, edge.name),
          html("td", { className: "number" }, number(weight)),
          html("td", {}, group ? letter(group) : "–"),
          html("td", {}, label < 0 ? "other" : "same"));
      });
      list.body.replaceChildren(...rows);
      const equal = [...sizes.values()].reduce((sum, size) => sum + size, 0);
      const zeros = parts.lines.filter(({ l, i, j }) =>
        j === 0 && snapshot.classes[l][i][j] !== 0 && snapshot.weights[l][i][j] === 0).length;
      parts.text.textContent = equality(equal, parts.lines.length, sizes.size, equal === zeros);
      return parts.text.textContent;
    }
    show(0);
    return show;
  }

  // A slider over the updates of snapshots, with its value in words; calls back with the index.
  function slider(host, updates, change, label = "Update") {
    const id = `slider-${++count}`;
    const input = html("input", { type: "range", id, min: 0, max: updates.length - 1, step: 1, value: 0 });
    const output = html("output", { htmlFor: id, className: "number" });
    const set = (index) => {
      input.value = index;
      const words = `${updates[input.value]} of ${updates[updates.length - 1]}`;
      output.textContent = words;
      input.setAttribute("aria-valuetext", `${label.toLowerCase()} ${words}`);
    };
    input.addEventListener("input", () => { set(Number(input.value)); change(Number(input.value)); });
    host.replaceChildren(html("label", { htmlFor: id }, `${label} `), output, input);
    set(0);
    return set;
  }

  const data = () => JSON.parse(document.getElementById("data").textContent);
  Object.assign(window.Symbreak, { network, slider, letter, number, short, svg, html, data });
})();
