// The lesson: settings in, pictures out.
"use strict";
(() => {
  const S = window.Symbreak;
  const { html, number } = S;
  const data = S.data();
  const SIDES = ["left", "right"];
  const METHODS = { "gradient-descent": "gradient descent", "l-bfgs": "L-BFGS" };
  const byId = (id) => document.getElementById(id);
  const HIDDEN = 600;  // the width of a chart in a part of the page that is not laid out
  const drawn = { left: {}, right: {} };
  let settings = S.read(data, location.hash);
  let setSlider = null, sliderOf = null;

  const startLabel = (key) => data.starts.find((start) => start.key === key).label;
  const hiddenLabel = (hidden) => hidden === "0" ? "none (logistic regression)" : hidden;

  function side(name) {
    const scene = S.scene(data, settings.data), { start, hidden } = settings[name];
    const network = scene.networks.find((found) => found.hidden === hidden);
    const run = network.runs[`${settings.method}/${start}`];
    return { name, scene, network, run, start, hidden };
  }

  // A run that ended early stays where it ended.
  function at(run, mark) {
    let index = 0;
    while (index + 1 < run.snapshots.length && run.snapshots[index + 1].updates <= mark) index++;
    return index;
  }

  const sideName = ({ start, hidden }) => `${startLabel(start)}, `
    + (hidden === "0" ? "no hidden layer" : `${hidden} hidden units`);

  function badge({ run }) {
    return run.exact ? "Run in exact symmetry: the gradient is averaged over equal units, which removes rounding."
      : "Run as it is: nothing is averaged.";
  }

  function distinctWords(snapshot, network) {
    const hidden = network.layers.slice(1, -1);
    return hidden.length ? hidden.map((units, l) => `${snapshot.distinct[l]} of ${units}`).join(", ") : "–";
  }

  // What a start with a zero gradient is, as far as the other runs of this network can tell.
  function stuck(run, network) {
    const J = run.snapshots[0].J, others = Object.values(network.runs);
    const nothing = "Nothing moves: the gradient is zero at this start";
    if (others.some((other) => other.snapshots.at(-1).J < 0.999 * J)) return `${nothing}, and yet other starts reach a lower J.`;
    return network.hidden === "0" ? `${nothing}. J is convex without a hidden layer, so there is no lower one.` : `${nothing}.`;
  }

  function finding({ run, network }, index) {
    const first = run.snapshots[0], now = run.snapshots[index];
    const words = [];
    if (run.ending.startsWith("stationary")) words.push(stuck(run, network));
    else if (index > 0) words.push(`J went from ${number(first.J)} to ${number(now.J)}.`);
    else words.push(`J begins at ${number(first.J)}.`);
    const hidden = network.layers.slice(1, -1);
    if (hidden.length && now.distinct[0] === 1) words.push(`All ${hidden[0]} units are still one unit.`);
    if (run.ending && run.snapshots.length > 1 && index === run.snapshots.length - 1) {
      words.push(`The run ended by itself after ${run.made} updates (${run.ending.split(/[:;]/)[0]}).`);
      if (run.made > now.updates) words.push(`Shown is its best point, after ${now.updates}.`);
    }
    return words.join(" ");
  }

  function readout(found, index) {
    const now = found.run.snapshots[index];
    const numbers = [["J", number(now.J)], ["Accuracy", number(now.accuracy)],
      ["Distinct units", distinctWords(now, found.network)], ["Rank of Θ⁽¹⁾", now.rank]];
    byId(`${found.name}-name`).textContent = sideName(found);
    byId(`${found.name}-badge`).textContent = badge(found);
    byId(`${found.name}-numbers`).replaceChildren(...numbers.flatMap(([word, shown]) =>
      [html("dt", {}, word), html("dd", {}, shown)]));
    byId(`${found.name}-finding`).textContent = finding(found, index);
    document.querySelectorAll(`.side-name[data-side="${found.name}"]`).forEach((element) => {
      element.textContent = sideName(found);
    });
  }

  function figure(host, { root, words }) {
    host.replaceChildren(html("figure", {}, root, html("figcaption", {}, words)));
  }

  function network(found, index) {
    const key = `${settings.data}/${settings.method}/${found.start}/${found.hidden}`;
    const kept = drawn[found.name];
    if (kept.key !== key) {
      const open = byId(`${found.name}-network`).querySelector("details")?.open;
      kept.show = S.network(byId(`${found.name}-network`),
        { ...found.network.picture, snapshots: found.run.snapshots }, sideName(found));
      byId(`${found.name}-network`).querySelector("details").open = Boolean(open);
      kept.key = key;
    }
    return kept.show(index);
  }

  function panels(found, index) {
    const now = found.run.snapshots[index], { scene, name } = found;
    byId(`${name}-map`).closest("section").hidden = !scene.plane;
    if (scene.plane) figure(byId(`${name}-map`), S.map(now.map, scene.plane, scene.classes));
    const none = () => html("p", { className: "quiet" }, "There is no hidden unit.");
    if (now.a) figure(byId(`${name}-activations`), S.scatter(now, scene.examples, scene.classes));
    else byId(`${name}-activations`).replaceChildren(none());
    byId(`${name}-deltas`).replaceChildren(now.a ? S.deltas(now, scene, name) : none());
    byId(`${name}-derivatives`).replaceChildren(now.a ? S.derivatives(now, found.network.pairs, name) : none());
  }

  function curve(sides, marks) {
    const lines = sides.map((found) => {
      const points = marks.map((mark) => found.run.snapshots[at(found.run, mark)]);
      return { name: sideName(found), J: points.map((point) => point.J), updates: points.map((point) => point.updates) };
    });
    const { root, words } = S.curve(lines, marks, settings.index, byId("curve").clientWidth || HIDDEN);
    const legend = `Left: circles, solid line. Right: triangles, dashed line. ${words}.`;
    figure(byId("curve"), { root, words: legend });
  }

  function all(mark) {
    const { network, hidden } = side("right");
    const rows = data.starts.map((start) => {
      const run = network.runs[`${settings.method}/${start.key}`], now = run.snapshots[at(run, mark)];
      return [start.label, S.value(now.J), S.value(now.accuracy), distinctWords(now, network), S.value(now.rank)];
    });
    const names = data.starts.map((start) => SIDES.some((name) => settings[name].start === start.key) ? "chosen" : "");
    byId("all").replaceChildren(S.table(
      `All starts after ${mark} updates of ${METHODS[settings.method]}; hidden units: ${hiddenLabel(hidden)}`,
      ["Start", "J", "Accuracy", "Distinct units", "Rank"], rows, { names }));
  }

  const withPanels = () => SIDES.map(side).reverse().find((found) => found.hidden !== "0")?.network
    || S.scene(data, settings.data).networks.find((found) => found.hidden !== "0");

  function check() {
    const tables = withPanels().check.map((report) => S.table(`Gradient ${report.name}: ${report.verdict}`,
      ["Block", "Verdict", "Worst entry", "Back-propagation", "Differences", "Relative error"],
      report.blocks.map((block) => [block.name, block.verdict, block.entry, S.value(block.analytic),
        S.value(block.numerical), S.value(block.error)])));
    byId("check-table").replaceChildren(...tables);
  }

  function rounding() {
    const network = withPanels();
    const update = (made) => ({ value: made === null ? "never" : String(made) });
    const rows = network.rounding.map((raw) => {
      const averaged = network.runs[`${raw.method}/${raw.start}`].snapshots.at(-1);
      return [`${startLabel(raw.start)}, ${METHODS[raw.method]}`, update(raw.first_unequal),
        update(raw.first_above_rounding), update(raw.first_visible), S.value(raw.spread), S.value(raw.J), S.value(averaged.J)];
    });
    byId("rounding-table").replaceChildren(S.table("Update at which equal weights first differ",
      ["Run", "in a bit", "by 1e−12 of the largest |θ|", "by 1e−3 of it", "Difference at the end, of it", "J, raw", "J, averaged"], rows));
  }

  function restarts() {
    const network = withPanels(), found = network.restarts;
    const best = Math.max(...found.accuracy), reached = found.accuracy.filter((share) => share === best).length;
    const words = `Final J from ${number(found.J[0])} to ${number(found.J.at(-1))}; `
      + `${reached} of ${found.n_starts} starts reached the best accuracy, ${number(best)}. `
      + `Start ${startLabel("uniform-0.12")}, hidden units: ${network.hidden}.`;
    figure(byId("restarts-chart"), { root: S.bars(found.J, words, byId("all").clientWidth || HIDDEN), words });
  }

  function options(select, choices, chosen) {
    select.replaceChildren(...choices.map(([value, label]) =>
      html("option", { value, selected: value === chosen }, label)));
  }

  function controls(scene, marks) {
    options(byId("data-choice"), data.scenes.map(({ key, name }) => [key, name]), settings.data);
    options(byId("method-choice"), Object.keys(data.methods).map((key) => [key, METHODS[key]]), settings.method);
    for (const name of SIDES) {
      options(byId(`${name}-start`), data.starts.map(({ key, label }) => [key, label]), settings[name].start);
      options(byId(`${name}-hidden`), scene.networks.map(({ hidden }) => [hidden, hiddenLabel(hidden)]), settings[name].hidden);
    }
    byId("data-words").textContent = `${scene.description} ${scene.n_examples} examples, ${scene.n_features} inputs, `
      + `${scene.classes.length} classes; always naming the most frequent class has accuracy ${number(scene.most_frequent_share)}.`;
    if (sliderOf !== marks.join()) {
      setSlider = S.slider(byId("slider"), marks, (index) => change({ index }), "Update");
      sliderOf = marks.join();
    }
    setSlider(settings.index);
    byId("printed").textContent = `Data: ${scene.name}. Optimiser: ${METHODS[settings.method]}. `
      + `Update ${marks[settings.index]} of ${scene.updates}.`;
  }

  function step() {
    document.querySelectorAll("[data-text]").forEach((text) => { text.hidden = text.dataset.text !== settings.step; });
    document.querySelectorAll("[data-step]").forEach((link) => {
      if (link.dataset.step === settings.step) {
        link.setAttribute("aria-current", "step");
        link.closest("ol").scrollLeft = link.offsetLeft - 40;
      } else link.removeAttribute("aria-current");
    });
    const place = data.steps.findIndex((found) => found.key === settings.step);
    const isLast = place === data.steps.length - 1, focused = document.activeElement;
    byId("previous").disabled = place === 0;
    byId("next").disabled = isLast;
    // A button that is switched off would drop the focus of the keyboard.
    if (isLast && focused === byId("next")) byId("previous").focus();
    if (place === 0 && focused === byId("previous")) byId("next").focus();
  }

  function draw() {
    const scene = S.scene(data, settings.data), marks = S.marks(scene), mark = marks[settings.index];
    controls(scene, marks);
    step();
    const sides = SIDES.map(side);
    const spoken = sides.map((found) => {
      const index = at(found.run, mark);
      readout(found, index);
      panels(found, index);
      return `${sideName(found)}: ${finding(found, index)} ${network(found, index)}`;
    });
    byId("live").textContent = `Update ${mark}. ${spoken.join(" ")}`;
    curve(sides, marks);
    all(mark);
    check();
    rounding();
    restarts();
  }

  function change(part) {
    settings = { ...settings, ...part };
    history.replaceState(null, "", S.write(data, settings));
    draw();
  }

  // A step opens the panel it is about.
  function openPanel() {
    const { panel } = S.stepOf(data, settings.step);
    if (panel) byId(panel).open = true;
  }

  // A step whose text speaks of the first data set begins there; another one can be chosen in it.
  function go(key) {
    const { at_home: atHome } = S.stepOf(data, key);
    settings = S.begin(data, key, atHome ? { ...settings, data: data.scenes[0].key } : settings);
    openPanel();
    history.pushState(null, "", S.write(data, settings));
    draw();
  }

  function neighbour(offset) {
    const place = data.steps.findIndex((found) => found.key === settings.step);
    go(data.steps[place + offset].key);
  }

  function changeData(key) {
    const begun = S.begin(data, settings.step, { data: key, right: settings.right });
    change({ data: begun.data, index: begun.index, left: { ...settings.left, hidden: begun.left.hidden },
      right: { ...settings.right, hidden: begun.right.hidden } });
  }

  byId("data-choice").addEventListener("change", (event) => changeData(event.target.value));
  byId("method-choice").addEventListener("change", (event) => change({ method: event.target.value }));
  for (const name of SIDES) {
    byId(`${name}-start`).addEventListener("change", (event) =>
      change({ [name]: { ...settings[name], start: event.target.value } }));
    byId(`${name}-hidden`).addEventListener("change", (event) =>
      change({ [name]: { ...settings[name], hidden: event.target.value } }));
  }
  document.querySelectorAll("[data-step]").forEach((link) => link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;  // into another tab
    event.preventDefault();
    go(link.dataset.step);
  }));
  byId("settings").addEventListener("submit", (event) => event.preventDefault());
  byId("previous").addEventListener("click", () => neighbour(-1));
  byId("next").addEventListener("click", () => neighbour(1));
  document.querySelectorAll("[data-show]").forEach((button) => button.addEventListener("click", () => {
    const panel = byId(button.dataset.show);
    panel.open = true;
    panel.querySelector("summary").focus({ preventScroll: true });
    panel.scrollIntoView();
  }));
  byId("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      byId("copied").textContent = "Copied.";
    } catch {
      byId("copied").textContent = "Please copy it from the address bar.";
    }
  });
  window.addEventListener("hashchange", () => { settings = S.read(data, location.hash); openPanel(); draw(); });
  window.addEventListener("resize", () => { SIDES.forEach((name) => { drawn[name] = {}; }); draw(); });
  window.addEventListener("popstate", () => { settings = S.read(data, location.hash); draw(); });
  openPanel();
  draw();
})();
