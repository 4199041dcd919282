// The settings of the lesson and the address that holds them:
// #step=zeros&data=digits&method=l-bfgs&left=zeros,4&right=uniform-0.12,4&update=100
"use strict";
(() => {
  const scene = (data, key) => data.scenes.find((found) => found.key === key) || data.scenes[0];
  const stepOf = (data, key) => data.steps.find((found) => found.key === key) || data.steps[0];
  const usual = (found) => found.networks.find((net) => net.hidden !== "0").hidden;
  const has = (list, key) => list.some((found) => found.key === key);

  // 0, 1, 2, 5, 10, ... up to the updates of the scene.
  function marks(found) {
    const series = [0];
    for (let power = 1; power <= found.updates; power *= 10) {
      for (const digit of [1, 2, 5]) if (digit * power < found.updates) series.push(digit * power);
    }
    return [...series, found.updates];
  }

  // What a step begins with, on the data set and with the hidden units of `now`.
  function begin(data, key, now) {
    const step = stepOf(data, key);
    const found = scene(data, now && now.data);
    const kept = now && found.networks.some((net) => net.hidden === now.right.hidden) && now.right.hidden !== "0";
    const hidden = kept ? now.right.hidden : usual(found);
    const all = marks(found);
    return {
      step: step.key, data: found.key, method: step.method, index: step.at_end ? all.length - 1 : 0,
      left: { start: step.left, hidden: step.logistic ? "0" : hidden },
      right: { start: step.right, hidden },
    };
  }

  // Whatever the address leaves out or gets wrong is as the step begins.
  function read(data, fragment) {
    const given = new URLSearchParams(fragment.replace(/^#/, ""));
    const found = scene(data, given.get("data"));
    const settings = begin(data, given.get("step"), { data: found.key, right: { hidden: "" } });
    if (Object.hasOwn(data.methods, given.get("method"))) settings.method = given.get("method");
    for (const side of ["left", "right"]) {
      const [start, hidden] = (given.get(side) || "").split(",");
      if (has(data.starts, start)) settings[side].start = start;
      if (found.networks.some((net) => net.hidden === hidden)) settings[side].hidden = hidden;
    }
    const index = marks(found).indexOf(Number(given.get("update") || NaN));
    if (index >= 0) settings.index = index;
    return settings;
  }

  function write(data, settings) {
    const side = ({ start, hidden }) => `${start},${hidden}`;
    return `#step=${settings.step}&data=${settings.data}&method=${settings.method}`
      + `&left=${side(settings.left)}&right=${side(settings.right)}`
      + `&update=${marks(scene(data, settings.data))[settings.index]}`;
  }

  Object.assign(window.Symbreak, { scene, stepOf, marks, begin, read, write });
})();
