"use strict";
// What stands around a timeline's canvas: tools, legend, details, help, the picture for paper. Text that stems
// from the program is only ever set as text, never as markup.
const TimelinePanel = (() => {
  const M = TimelineModel, D = TimelineLayout;
  const WORDS = {
    running: "running", gil: "waiting for the GIL", ready: "ready, not on a processor", blocked: "blocked", sleeping: "sleeping",
    idle: "idle", unknown: "not known", held: "held", work: "a piece of work", collect: "garbage collection",
  };
  const STEP_WORDS = { running: "takes a step", ready: "could go on", ended: "ended" };
  const ARROWS = {
    message: "message", lock: "lock handed over", wake: "wakes up", start: "starts", end: "waited for its end", work: "work handed over",
  };
  const KEYS = [
    ["w  s", "zoom in, zoom out"], ["a  d", "move left, move right"], ["f", "show the selection, or all of it"], ["0", "show all of it"],
    ["← →", "the bar before, the bar after (in an interleaving: the step)"], ["↑ ↓", "the lane above, the lane below"], ["/", "search; then Enter, n and N go from hit to hit"],
    ["c  C", "close the group of the chosen lane, open all"], ["Page ↑ ↓", "scroll the lanes"], ["Esc", "choose nothing"], ["?", "this help"],
  ];
  const MOUSE = [
    ["click", "details of a bar; on a heading: close the group"], ["double click", "zoom to a bar"], ["drag", "move"], ["shift + drag", "measure a stretch of time"],
    ["ctrl + wheel, pinch", "zoom"], ["wheel", "scroll the lanes, or zoom if all are shown"],
  ];

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== null) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  const word = (view, state) => (view.isSteps && STEP_WORDS[state]) || WORDS[state] || state;

  function build(view) {
    const { root } = view;
    const button = (text, label, act) => make("button", { type: "button", "aria-label": label, title: label, onclick: act }, text);
    const search = make("input", { type: "search", placeholder: "Search  ( / )", "aria-label": "search the timeline", spellcheck: "false", oninput: () => view.find(search.value.trim()) });
    const count = make("span", { class: "t-count", "aria-live": "polite" });
    const help = helpDialog();
    const bar = make("div", { class: "t-bar", role: "toolbar", "aria-label": "timeline tools" }, search, count, make("span", { class: "t-space" }),
      button("−", "zoom out (s)", () => view.zoom(1 / 0.6)), button("+", "zoom in (w)", () => view.zoom(0.6)), button("Fit", "show all, or the selection (f)", () => view.fit()),
      ...(view.options.isEmbedded ? [] : [button("◐", "light or dark", () => toggleTheme())]), button("?", "help (?)", () => help.showModal()));
    const legendPart = make("ul", { class: "t-legend", "aria-label": "legend" });
    const overview = make("canvas", { class: "t-overview", "aria-hidden": "true" });
    const canvas = make("canvas", { class: "t-canvas", tabindex: "0", role: "application", "aria-label": "timeline; arrow keys go from bar to bar, ? for help" });
    const hint = make("p", { class: "t-hint", hidden: "" });
    const tipPart = make("div", { class: "t-tip", role: "tooltip", hidden: "" });
    const detailsPart = make("div", { class: "t-details" });
    const live = make("p", { class: "t-live", "aria-live": "polite" });
    const paperPart = make("div", { class: "t-paper", "data-palette": "paper" });
    root.replaceChildren(bar, legendPart, make("div", { class: "t-screen" }, overview, make("div", { class: "t-stage" }, canvas, hint, tipPart)), detailsPart, live, help, paperPart);
    root.classList.add("is-live");
    return { search, count, legend: legendPart, overview, canvas, hint, tip: tipPart, details: detailsPart, live, help, paper: paperPart };
  }

  function toggleTheme() {
    const isDark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = isDark ? "light" : "dark";
    for (const root of document.querySelectorAll(".timeline.is-live")) root.timeline.restyle();
  }

  function helpDialog() {
    const list = (rows) => make("dl", {}, ...rows.flatMap(([key, text]) => [make("dt", {}, ...key.split("  ").map((one) => make("kbd", {}, one))), make("dd", {}, text)]));
    const dialog = make("dialog", { class: "t-help", "aria-label": "help" }, make("h3", {}, "Keys"), list(KEYS), make("h3", {}, "Mouse and fingers"), list(MOUSE),
      make("form", { method: "dialog" }, make("button", {}, "Close")));
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    return dialog;
  }

  // --- legend -------------------------------------------------------------------------------------

  function swatch(view, paint, colours = view.colours) {
    const ratio = window.devicePixelRatio || 1, canvas = make("canvas", { width: 26 * ratio, height: 14 * ratio, "aria-hidden": "true" });
    const c = canvas.getContext("2d");
    c.scale(ratio, ratio);
    paint(c, colours, ratio);
    return canvas;
  }

  function paintState(index) {
    return (c, colours, ratio) => {
      c.fillStyle = colours.states[index]; c.fillRect(0, 0, 26, 14);
      if (colours.patterns[index]) { c.fillStyle = D.pattern(c, { ...colours, tiles: new Map() }, colours.patterns[index], ratio); c.fillRect(0, 0, 26, 14); }
      c.strokeStyle = colours.line; c.strokeRect(0.5, 0.5, 25, 13);
    };
  }

  function paintArrow(model, index) {
    return (c, colours) => {
      c.strokeStyle = c.fillStyle = colours.arrows[index]; c.lineWidth = 1.8; c.setLineDash(D.DASHES[model.arrowKinds[index]] ?? []);
      c.beginPath(); c.moveTo(1, 7); c.lineTo(19, 7); c.stroke(); c.setLineDash([]);
      c.beginPath(); c.moveTo(26, 7); c.lineTo(18, 3); c.lineTo(18, 11); c.fill();
    };
  }

  function entries(view) {
    const { model } = view, states = new Set(model.state), kinds = new Set(model.arrows.kind);
    const result = [...states].sort((a, b) => a - b).map((state) => [word(view, model.states[state]), paintState(state)]);
    result.push(...[...kinds].sort((a, b) => a - b).map((kind) => [ARROWS[model.arrowKinds[kind]] ?? model.arrowKinds[kind], paintArrow(model, kind)]));
    if (model.flags.some((flags) => flags & M.FLAG_PREEMPTED)) result.push(["⇄  switched away here, though it could have gone on", null]);
    if (model.flags.some((flags) => flags & M.FLAG_FAILURE)) result.push(["✗  fails here", null]);
    if (model.flags.some((flags) => flags & M.FLAG_OPEN)) result.push(["torn edge: it did not end", null]);
    return result;
  }

  function legend(view, target = view.parts.legend, colours = view.colours) {
    target.replaceChildren(...entries(view).map(([text, paint]) => make("li", {}, ...(paint ? [swatch(view, paint, colours)] : []), text)));
  }

  // --- details ------------------------------------------------------------------------------------

  function details(view) {
    const { model, parts } = view;
    parts.details.classList.toggle("is-empty", view.chosen < 0 && !view.range && view.chosenLane < 0);
    if (view.range) return rangeDetails(view);
    if (view.chosen < 0 && view.chosenLane >= 0) return laneDetails(view);
    if (view.chosen < 0) {
      parts.details.replaceChildren(make("p", { class: "t-soft" }, "Click a bar for its details; shift + drag measures a stretch; ? shows all keys."));
      parts.live.textContent = "";
      return;
    }
    const i = view.chosen, s = model.strings, lane = model.lanes[model.lane[i]], state = model.states[model.state[i]];
    const begin = model.begin[i], length = model.end[i] - begin;
    const place = model.place[i] >= 0 ? model.places[model.place[i]] : null;
    const facts = [["lane", s[lane.name]], ["state", word(view, state) + (model.flags[i] & M.FLAG_OPEN ? ", did not end" : "")]];
    if (view.isSteps) facts.push([length > 1 ? "steps" : "step", length > 1 ? `${begin + 1} to ${begin + length}` : `${begin + 1} of ${model.length}`]);
    else facts.push(["from", M.inWords(model, begin, Math.max(length / 1000, 1))], ["duration", M.inWords(model, length)]);
    if (model.thing[i] >= 0) facts.push([model.lanes[model.thing[i]].kind === "queue" ? "queue" : "object", link(view, model.thing[i], begin)]);
    if (model.holder[i] >= 0) facts.push([state === "held" ? "holder" : "held by", link(view, model.holder[i], begin)]);
    if (place) facts.push(["at", `${s[place[0]]}:${place[1]}${s[place[3]] ? `, in ${s[place[3]]}` : ""}`]);
    const left = make("div", { class: "t-facts" }, make("h3", { dir: "auto" }, s[model.label[i]] || word(view, state)), ...(s[model.detail[i]] ? [make("p", { dir: "auto" }, s[model.detail[i]])] : []), factList(facts), ...arrowList(view, i));
    const code = place ? listing(model, place) : null;
    parts.details.replaceChildren(left, ...(code ? [code] : []));
    parts.live.textContent = `${s[lane.name]}: ${s[model.label[i]]}. ${s[model.detail[i]]}`;
  }

  function factList(facts) {
    return make("dl", {}, ...facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", { dir: "auto" }, value)]));
  }

  // A button that leads to what another lane does at that moment.
  function link(view, lane, moment) {
    return make("button", { type: "button", class: "t-link", onclick: () => {
      const slice = M.sliceAt(view.model, lane, moment);
      if (slice >= 0) view.choose(slice, { isQuiet: true });
      else { view.chosen = -1; view.chosenLane = lane; view.revealLane(lane); details(view); view.draw(); }
    } }, view.model.strings[view.model.lanes[lane].name]);
  }

  function arrowList(view, index) {
    const { arrows, strings, lanes, lane, arrowKinds, begin, end } = view.model, rows = [];
    for (let block = 0; block < arrows.latest.length && rows.length < 12; block++) {
      if (arrows.latest[block] < begin[index]) continue;
      if (arrows.begin[block << 8] > end[index]) break;
      for (let i = block << 8; i < Math.min((block + 1) << 8, arrows.count) && rows.length < 12; i++) {
        const isOut = arrows.from[i] === lane[index] && arrows.begin[i] >= begin[index] && arrows.begin[i] <= end[index];
        const isIn = arrows.to[i] === lane[index] && arrows.end[i] >= begin[index] && arrows.end[i] <= end[index];
        if (!isOut && !isIn) continue;
        const other = isOut ? arrows.to[i] : arrows.from[i], moment = isOut ? arrows.end[i] : arrows.begin[i];
        rows.push(make("li", {}, `${isOut ? "→" : "←"} ${strings[arrows.label[i]] || ARROWS[arrowKinds[arrows.kind[i]]]} ${isOut ? "to" : "from"} `, link(view, other, moment), ...(view.isSteps ? [] : [` at ${M.inWords(view.model, moment)}`])));
      }
    }
    return rows.length ? [make("ul", { class: "t-arrows" }, ...rows)] : [];
  }

  function listing(model, [file, line, source]) {
    const lines = model.sources[model.strings[file]] ?? (model.strings[source] ? [[line, model.strings[source]]] : []);
    const near = lines.filter(([number]) => Math.abs(number - line) <= 6);
    if (!near.length) return null;
    return make("pre", { class: "t-code", tabindex: "0", "aria-label": "source" }, ...near.map(([number, text]) =>
      make("span", { class: number === line ? "row at" : "row" }, make("span", { class: "n" }, `${number}`), `${text}\n`)));
  }

  // How long each lane was in which state, for a stretch of time or for the whole run.
  function shares(view, lanes, begin, end) {
    const { model } = view, total = end - begin || 1;
    const rows = lanes.map((lane) => [lane, model.rows[lane.index][0] ? M.totals(model.rows[lane.index][0], begin, end) : []]).filter(([, totals]) => totals.length).slice(0, 60);
    return make("table", {}, make("tbody", {}, ...rows.map(([lane, totals]) => make("tr", {}, make("th", { scope: "row", dir: "auto" }, model.strings[lane.name]),
      ...totals.slice(0, 5).map(([state, length]) => make("td", {}, swatch(view, paintState(state)), ` ${word(view, model.states[state])} ${Math.round((length / total) * 100)} %`, make("span", { class: "t-soft" }, ` ${M.inWords(model, length)}`)))))));
  }

  function rangeDetails(view) {
    const [begin, end] = view.range, { model } = view;
    view.parts.details.replaceChildren(make("div", { class: "t-facts" }, make("h3", {}, `${M.inWords(model, end - begin)}${view.isSteps ? " steps" : ""} chosen`), make("p", { class: "t-soft" }, "f zooms to it, Esc gives it up."), shares(view, model.lanes, begin, end)));
    view.parts.live.textContent = `${M.inWords(model, end - begin)} chosen`;
  }

  function laneDetails(view) {
    const { model } = view, lane = model.lanes[view.chosenLane];
    view.parts.details.replaceChildren(make("div", { class: "t-facts" }, make("h3", { dir: "auto" }, model.strings[lane.name]), make("p", { dir: "auto" }, model.strings[lane.note]), shares(view, [lane], 0, model.length)));
    view.parts.live.textContent = model.strings[lane.name];
  }

  // --- small things -------------------------------------------------------------------------------

  function count(view) {
    const { found } = view, { length } = found.slices;
    view.parts.count.textContent = !view.parts.search.value.trim() ? "" : length ? `${found.position < 0 ? "" : `${(found.position + 1).toLocaleString("en")} of `}${length.toLocaleString("en")} ${length === 1 ? "hit" : "hits"}`
      : found.lanes.size ? `${found.lanes.size} ${found.lanes.size === 1 ? "lane" : "lanes"}` : "no hit";
  }

  function hint(view) {
    const hidden = view.stats.arrowsLeftOut;
    view.parts.hint.hidden = !hidden;
    if (hidden) view.parts.hint.textContent = `${hidden.toLocaleString("en")} more arrows: zoom in, or click a bar for its own`;
  }

  function tip(view, event) {
    const { tip: part } = view.parts, { model } = view;
    const index = event ? view.input.sliceAt(event.offsetX, event.offsetY) : -1;
    part.hidden = index < 0;
    if (index < 0) return;
    const short = (text) => (text.length > 160 ? `${text.slice(0, 160)}…` : text), s = model.strings;
    const length = view.isSteps ? "" : `  ${M.inWords(model, model.end[index] - model.begin[index])}`;
    part.replaceChildren(make("strong", { dir: "auto" }, short(s[model.label[index]] || word(view, model.states[model.state[index]]))), make("span", { class: "t-soft" }, `${length}  ${word(view, model.states[model.state[index]])}`), make("div", { dir: "auto" }, short(s[model.detail[index]])));
    part.style.left = `${Math.min(event.offsetX + 14, Math.max(view.width - part.offsetWidth - 8, 0))}px`;
    part.style.top = `${event.offsetY + 18 + part.offsetHeight > view.height ? Math.max(event.offsetY - part.offsetHeight - 10, 0) : event.offsetY + 18}px`;
  }

  // --- paper --------------------------------------------------------------------------------------

  const PAPER = { width: 1000, height: 560, step: 92, mostTurns: 12, mostPieces: 80 };

  // The whole picture, in as many pieces as its height needs, so that each fits on a page; the steps of a story that
  // is not too long, in as many as make them readable.
  function paper(view) {
    const { model, parts } = view, { width } = PAPER, layout = D.layout(model, PAPER.height - 40);
    const colours = D.palette(parts.paper, model.states, model.arrowKinds), gutter = D.gutter(model, view.canvas.getContext("2d"), width);
    const legendPart = make("ul", { class: "t-legend" }), heights = pages(layout, PAPER.height);
    legend(view, legendPart, colours);
    const steps = Math.max(1, Math.min(model.length, Math.floor((width - gutter) / PAPER.step)));
    const inTurns = view.isSteps && model.length <= steps * PAPER.mostTurns;
    const turns = inTurns ? Array.from({ length: Math.ceil(model.length / steps) }, (_, i) => [i * steps, (i + 1) * steps]) : [[view.isSteps ? 0 : model.first, model.length || 1]];
    const all = turns.flatMap(([t0, t1]) => heights.map(([from, until]) => ({ t0, t1, from, until })));
    const ratio = all.length > 12 ? 1 : 2; // so many large canvases would take a gigabyte
    const pieces = all.slice(0, PAPER.mostPieces).map(({ t0, t1, from, until }) => {
      const height = until - from + D.AXIS, canvas = make("canvas", { width: width * ratio, height: height * ratio });
      new TimelineDraw.Painter(model, {
        context: canvas.getContext("2d"), ratio, colours: { ...colours, tiles: new Map() }, width, height, gutter, top: D.AXIS, t0, t1, scroll: from, layout,
        chosen: -1, chosenLane: -1, range: null, now: null, hits: new Set(), foundLanes: new Set(),
      }).all();
      return canvas;
    });
    if (all.length > pieces.length) pieces.push(make("p", {}, "The lanes below are left out: close groups that you do not need, and print again."));
    parts.paper.replaceChildren(legendPart, ...pieces);
  }

  function pages(layout, most) {
    const result = [];
    let from = 0;
    layout.items.forEach((item, index) => {
      const end = item.y + item.height;
      const isLonely = item.kind === "group" && layout.items[index + 1] && layout.items[index + 1].y + layout.items[index + 1].height - from > most;
      if ((end - from > most || isLonely) && item.y > from) { result.push([from, item.y]); from = item.y; }
    });
    return [...result, [from, layout.height]];
  }

  return { build, legend, details, count, hint, tip, paper };
})();
