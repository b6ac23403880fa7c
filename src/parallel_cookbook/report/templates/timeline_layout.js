"use strict";
// Where a timeline's lanes stand, in which colours and patterns, and how words are made to fit.
const TimelineLayout = (() => {
  const AXIS = 26, HEADING = 24, PAD = 5, COUNTER = 34, MAX_TEXT = 240;
  const FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif", MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace";
  const PATTERNS = {
    blocked: "falling", gil: "rising", ready: "dots", sleeping: "lines", collect: "cross", unknown: "sparse",
  };
  const DASHES = { wake: [5, 3], start: [2, 2], end: [1, 5], work: [7, 3, 1, 3], lock: [11, 2], message: [] };

  // The colours of the style sheet, where `element` stands in it.
  function palette(element, states, kinds) {
    const style = getComputedStyle(element);
    const read = (name) => style.getPropertyValue(`--t-${name}`).trim();
    const names = ["paper", "ink", "soft", "line", "panel", "hatch", "hit", "overview", "veil", "failure"];
    return {
      ...Object.fromEntries(names.map((name) => [name, read(name)])), isDashed: read("dashed") === "yes",
      states: states.map(read), texts: states.map((name) => read(`${name}-text`) || read("label")), patterns: states.map((name) => PATTERNS[name]),
      arrows: kinds.map((kind) => read(`arrow-${kind}`)), tiles: new Map(),
    };
  }

  // A small tile that is repeated over a slice, so that colour is not all that tells states apart.
  function pattern(context, colours, name, ratio) {
    if (colours.tiles.has(name)) return colours.tiles.get(name);
    const size = 8, tile = document.createElement("canvas");
    tile.width = tile.height = size * ratio;
    const c = tile.getContext("2d");
    c.scale(ratio, ratio);
    c.strokeStyle = c.fillStyle = colours.hatch;
    c.lineWidth = 1.2;
    const line = (x0, y0, x1, y1) => { c.beginPath(); c.moveTo(x0, y0); c.lineTo(x1, y1); c.stroke(); };
    if (name === "falling" || name === "cross") for (const shift of [-8, 0, 8]) line(shift - 1, -1, shift + 9, 9);
    if (name === "rising" || name === "cross") for (const shift of [-8, 0, 8]) line(shift - 1, 9, shift + 9, -1);
    if (name === "lines") line(0, 4, 8, 4);
    if (name === "sparse") line(4, 0, 4, 8);
    if (name === "dots") for (const [x, y] of [[2, 2], [6, 6]]) { c.beginPath(); c.arc(x, y, 1, 0, 7); c.fill(); }
    const made = context.createPattern(tile, "repeat");
    made.setTransform(new DOMMatrix().scale(1 / ratio));
    colours.tiles.set(name, made);
    return made;
  }

  // Where everything stands, from top to bottom, in pixels of the whole picture. If there is room, lanes grow.
  function layout(model, room = 0) {
    const natural = place(model, 1);
    const headings = natural.items.filter((item) => item.kind === "group").length * HEADING;
    const growth = Math.min(1.9, (room - headings) / Math.max(natural.height - headings, 1));
    return growth > 1 ? place(model, growth) : natural;
  }

  function place(model, growth) {
    const pad = Math.floor(PAD * growth ** 1.5), tall = (height) => Math.floor(height * growth);
    const isSteps = model.unit === "step";
    const items = [], of = new Map(), tops = new Float64Array(model.lanes.length).fill(-1);
    let y = 0;
    for (const group of model.groups) {
      if (model.groups.length > 1 || group.name) { items.push({ kind: "group", group, y, height: HEADING }); y += HEADING; }
      const heading = y - HEADING;
      for (const index of group.lanes) {
        if (group.isClosed) { tops[index] = heading; continue; }
        const lane = model.lanes[index], rows = model.rows[index];
        const counters = model.counters.filter((counter) => counter.lane === index);
        const first = lane.kind === "task" ? (isSteps ? 60 : 22) : isSteps ? 24 : 20;
        const heights = rows.map((_, depth) => tall(depth ? 16 : first));
        const height = Math.max(heights.reduce((a, b) => a + b + 1, 0) + counters.length * tall(COUNTER), 22) + 2 * pad;
        tops[index] = y;
        items.push({ kind: "lane", lane, group, y, height, heights, counters, pad, counter: tall(COUNTER) });
        of.set(index, items[items.length - 1]);
        y += height;
      }
    }
    return { items, of, tops, height: y };
  }

  // How much room the lanes' names need.
  function gutter(model, context, width) {
    context.font = `700 12px ${FONT}`;
    const widest = model.lanes.slice(0, 500).reduce((most, lane) => Math.max(most, context.measureText(model.strings[lane.name].slice(0, 60)).width), 0);
    return Math.round(Math.min(Math.max(widest + 38, model.unit === "step" ? 110 : 165), Math.max(width * 0.3, 90), 260));
  }

  function fit(context, text, width) {
    text = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
    let size = context.measureText(text).width;
    if (size <= width) return text;
    let keep = Math.floor((text.length * width) / size);
    while (keep > 0 && context.measureText(`${text.slice(0, keep)}…`).width > width) keep--;
    return keep > 3 ? `${text.slice(0, keep)}…` : "";
  }

  // Names of tasks often differ at their end only: "Thread-1", "Thread-2".
  function fitName(context, text, width) {
    if (context.measureText(text).width <= width) return text;
    const end = text.slice(-2);
    for (let keep = Math.min(text.length - 2, 60); keep > 1; keep--) {
      const short = `${text.slice(0, keep).trimEnd()}…${end}`;
      if (context.measureText(short).width <= width) return short;
    }
    return "";
  }

  // Break a text into at most `most` lines: between words; of code within one, if it is long and there is room.
  function wrap(context, text, width, most, isCode = false) {
    const lines = [];
    let rest = text.slice(0, MAX_TEXT);
    while (rest && lines.length < most) {
      if (lines.length === most - 1 || context.measureText(rest).width <= width) { lines.push(fit(context, rest, width)); break; }
      let keep = Math.max(1, Math.min(rest.length, Math.floor((rest.length * width) / context.measureText(rest).width)));
      while (keep > 1 && context.measureText(rest.slice(0, keep)).width > width) keep--;
      const space = rest.lastIndexOf(" ", keep);
      if (space > 0) keep = space;
      else if (!isCode || keep < 8) { lines.push(fit(context, rest, width)); break; }
      lines.push(rest.slice(0, keep));
      rest = rest.slice(keep).trimStart();
    }
    return lines.filter(Boolean);
  }

  return { layout, palette, pattern, gutter, fit, fitName, wrap, AXIS, HEADING, COUNTER, PAD, FONT, MONO, DASHES };
})();
