// The lesson's charts. Each takes plain data and returns an SVG with a text for the screen reader.
"use strict";
(() => {
  const { svg, number, short } = window.Symbreak;
  const SIZE = 300, EDGE = 38, WIDEST = 640;

  function picture(width, height, words) {
    const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, role: "img", "aria-label": words });
    root.append(svg("title", {}, words));
    return root;
  }

  // a1 of each example against a2, both between 0 and 1.
  function scatter({ a, a_gap: gap }, examples, classes) {
    const words = gap === 0 ? `a₁ = a₂ for all ${a[0].length} examples shown.`
      : `a₁ and a₂ differ by up to ${number(gap)} over ${a[0].length} examples shown.`;
    const root = picture(SIZE, SIZE, words);
    const side = SIZE - EDGE - 12;
    const x = (value) => EDGE + value * side, y = (value) => 12 + (1 - value) * side;
    root.append(svg("rect", { class: "frame", x: EDGE, y: 12, width: side, height: side }),
      svg("line", { class: "diagonal", x1: x(0), y1: y(0), x2: x(1), y2: y(1) }));
    for (const value of [0, 0.5, 1]) {
      root.append(svg("text", { class: "tick middle", x: x(value), y: SIZE - 12 }, value),
        svg("text", { class: "tick end", x: EDGE - 9, y: y(value) + (value === 1 ? 12 : 4) }, value));
    }
    root.append(svg("text", { class: "axis-name end", x: x(1), y: SIZE }, "a₁⁽²⁾"),
      svg("text", { class: "axis-name", x: 2, y: 10 }, "a₂⁽²⁾"));
    a[0].forEach((value, i) => {
      const point = svg("circle", { class: "point", cx: x(value), cy: y(a[1][i]), r: 6 });
      point.dataset.a = `${value},${a[1][i]}`;
      point.append(svg("title", {}, `Example ${examples[i].row}, class ${classes[examples[i].class]}: `
        + `a₁ = ${number(value)}, a₂ = ${number(a[1][i])}`));
      root.append(point);
    });
    return { root, words };
  }

  // What the map says: "-" is a cell where both outputs are equal.
  function decided(cells, classes) {
    const share = (is) => Math.round(100 * [...cells].filter(is).length / cells.length);
    const [zero, one] = classes.map((name) => short(name));
    const ties = share((level) => level === "-");
    if (ties === 100) return "Nothing is decided: both outputs are equal on the whole square.";
    const rest = `the rest for class ${zero} (blue, circles).`;
    const words = `${share((level) => level >= "5")}% of the square is decided for class ${one} (orange, triangles), `;
    return words + (ties ? `${ties}% for none (grey), ${rest}` : rest);
  }

  // Cells from row 0 at the top; 0 is surely class 0, 9 surely class 1.
  function map(cells, plane, classes) {
    const words = decided(cells, classes);
    const root = picture(SIZE, SIZE, words);
    const n = plane.grid, cell = SIZE / n;
    const level = (row, column) => cells[row * n + column];
    const side = (value) => value === "-" ? "no-class" : value >= "5" ? "one-class" : "zero-class";
    const opacity = (value) => value === "-" ? 0.25 : 0.08 + 0.09 * (value >= "5" ? value - 4 : 5 - value);
    let boundary = "";
    for (let row = 0; row < n; row++) {
      for (let column = 0; column < n; column++) {
        const value = level(row, column), here = side(value);
        root.append(svg("rect", { class: here, x: column * cell, y: row * cell, width: cell, height: cell,
          "shape-rendering": "crispEdges", "fill-opacity": opacity(value) }));
        if (column + 1 < n && side(level(row, column + 1)) !== here) {
          boundary += `M${(column + 1) * cell},${row * cell}v${cell}`;
        }
        if (row + 1 < n && side(level(row + 1, column)) !== here) {
          boundary += `M${column * cell},${(row + 1) * cell}h${cell}`;
        }
      }
    }
    root.append(svg("path", { class: "boundary", d: boundary }));
    const at = (value) => (value / plane.half + 1) / 2 * SIZE;
    plane.x.forEach(([first, second], i) => {
      const x = at(first), y = SIZE - at(second);
      root.append(plane.y[i] ? svg("path", { class: "mark one-class", d: `M${x},${y - 6}l5.5,10h-11z` })
        : svg("circle", { class: "mark zero-class", cx: x, cy: y, r: 4.5 }));
    });
    return { root, words };
  }

  // J of both sides over the marks of the slider, on a scale of powers of ten. Charts are drawn for the
  // space they have, so that their words keep their size on a phone.
  function curve(sides, marks, now, space) {
    const width = Math.min(WIDEST, space), height = 230, left = 62, bottom = 34, top = 14;
    const values = sides.flatMap((side) => side.J).filter((J) => typeof J === "number" && J > 0);
    const high = Math.ceil(Math.log10(Math.max(...values)) + 1e-9);
    const low = Math.min(high - 1, Math.floor(Math.log10(Math.min(...values))));
    const x = (index) => left + index / Math.max(1, marks.length - 1) * (width - left - 16);
    const y = (J) => top + (high - Math.log10(Math.max(J, 10 ** low))) / (high - low) * (height - top - bottom);
    const words = sides.map((side) => `${side.name}: J ${number(side.J[now])} at update ${side.updates[now]}`).join("; ");
    const root = picture(width, height, words);
    for (let power = low; power <= high; power += Math.max(1, Math.ceil((high - low) / 6))) {
      root.append(svg("line", { class: "axis", x1: left, x2: width - 16, y1: y(10 ** power), y2: y(10 ** power), opacity: 0.35 }),
        svg("text", { class: "tick end", x: left - 6, y: y(10 ** power) + 4 }, number(Number(`1e${power}`))));
    }
    marks.forEach((mark, index) => root.append(svg("text", { class: "tick middle", x: x(index), y: height - 18 }, mark)));
    root.append(svg("text", { class: "axis-name end", x: width - 16, y: height - 3 }, "updates"),
      svg("line", { class: "diagonal", x1: x(now), x2: x(now), y1: top, y2: height - bottom }));
    sides.forEach((side, k) => {
      const name = k ? "right" : "left";
      root.append(svg("path", { class: `line ${name}-line`, d: "M" + side.J.map((J, i) => `${x(i)},${y(J)}`).join("L") }));
      side.J.forEach((J, i) => {
        const shape = k ? svg("path", { d: `M${x(i)},${y(J) - 6}l5.5,10h-11z` }) : svg("circle", { cx: x(i), cy: y(J), r: 4.5 });
        shape.setAttribute("class", `mark ${name}-mark`);
        shape.append(svg("title", {}, `${side.name}: J = ${number(J)} after ${side.updates[i]} updates`));
        root.append(shape);
      });
    });
    return { root, words };
  }

  // Final J of many starts, lowest first, as bars on a scale of powers of ten.
  function bars(J, words, space) {
    const width = Math.min(WIDEST, space), height = 200, left = 62, bottom = 24, top = 12;
    const logs = J.map((value) => Math.log10(Math.max(value, 1e-12)));
    const high = Math.ceil(Math.max(...logs) + 1e-9), low = Math.min(high - 1, Math.floor(Math.min(...logs)));
    const y = (log) => top + (high - log) / (high - low) * (height - top - bottom);
    const root = picture(width, height, words);
    for (let power = low; power <= high; power += Math.max(1, Math.ceil((high - low) / 5))) {
      root.append(svg("line", { class: "axis", x1: left, x2: width, y1: y(power), y2: y(power), opacity: 0.35 }),
        svg("text", { class: "tick end", x: left - 6, y: y(power) + 4 }, number(Number(`1e${power}`))));
    }
    const step = (width - left) / J.length;
    logs.forEach((log, i) => {
      const bar = svg("rect", { class: "left-mark", x: left + (i + 0.15) * step, y: y(log), width: 0.7 * step,
        height: Math.max(1, height - bottom - y(log)) });
      bar.append(svg("title", {}, `${i + 1} of ${J.length}: J = ${number(J[i])}`));
      root.append(bar);
    });
    root.append(svg("text", { class: "axis-name", x: left, y: height - 6 }, "starts, lowest J first"));
    return root;
  }

  Object.assign(window.Symbreak, { scatter, map, curve, bars });
})();
