"use strict";
// One timeline in a page: what part of it is shown, what is chosen, and what mouse, fingers and keys do to that.
const TimelineView = (() => {
  const M = TimelineModel, D = TimelineDraw, O = TimelineOverview, P = TimelinePanel;
  const FEWEST_PIXELS_A_STEP = 96, CLICK = 4;

  class View {
    // options: isEmbedded (the page around scrolls, and keys work only inside); for interleavings,
    // onStep(step) after a step was chosen, onMove(by) instead of going to the next.
    constructor(root, data, options = {}) {
      this.root = root;
      this.options = options;
      this.model = M.decode(data);
      this.chosen = -1; this.chosenLane = -1; this.range = null; this.now = null; this.scroll = 0;
      this.found = { slices: [], lanes: [], position: -1, hits: new Set() };
      this.parts = P.build(this);
      this.canvas = this.parts.canvas;
      this.layout = D.layout(this.model);
      P.details(this);
      this.home();
      this.pointers = new Map();
      this.listen();
      this.restyle();
      this.resize();
    }

    get isSteps() { return this.model.unit === "step"; }
    get least() { return this.isSteps ? 1 : Math.min(20, this.model.length); }

    // --- what is shown ----------------------------------------------------------------------------

    home() {
      const { length } = this.model;
      this.t0 = this.isSteps ? 0 : -length * 0.005;
      this.t1 = length * (this.isSteps ? 1 : 1.005) || 1;
      if (this.isSteps && this.area) this.t1 = Math.min(this.t1, Math.max(3, Math.floor(this.area / FEWEST_PIXELS_A_STEP)));
      this.scroll = 0;
    }

    show(t0, t1) {
      const whole = this.model.length || 1, most = whole * (this.isSteps ? 1 : 1.2);
      let span = Math.min(Math.max(t1 - t0, this.least), Math.max(most, this.least));
      const middle = (t0 + t1) / 2, margin = this.isSteps ? 0 : 0.1 * span;
      t0 = Math.max(-margin, Math.min(middle - span / 2, whole + margin - span));
      if (span > whole + 2 * margin) t0 = (whole - span) / 2;
      [this.t0, this.t1] = [t0, t0 + span];
      this.draw();
    }

    zoom(factor, x = this.gutter + this.area / 2) {
      const span = (this.t1 - this.t0) * factor, share = (x - this.gutter) / this.area;
      const least = Math.max(span, this.least);
      const moment = this.moment(x);
      this.show(moment - share * least, moment + (1 - share) * least);
    }

    pan(share) {
      const by = (this.t1 - this.t0) * share;
      this.show(this.t0 + by, this.t1 + by);
    }

    scrollTo(y) {
      this.scroll = Math.max(0, Math.min(y, this.layout.height - (this.height - D.AXIS)));
      this.draw();
    }

    fit() {
      if (this.range) return this.show(...this.range);
      if (this.chosen < 0) { this.home(); return this.draw(); }
      const begin = this.model.begin[this.chosen], end = this.model.end[this.chosen];
      const margin = Math.max((end - begin) * 0.1, this.least / 2);
      return this.show(begin - margin, end + margin);
    }

    // Bring a slice into view without zooming more than is needed.
    reveal(index) {
      const begin = this.model.begin[index], end = this.model.end[index], span = this.t1 - this.t0;
      const group = this.model.groups.find((one) => one.lanes.includes(this.model.lane[index]));
      if (group?.isClosed) this.toggle(group);
      if (end < this.t0 + span * 0.02 || begin > this.t1 - span * 0.02) this.show((begin + Math.min(end, begin + span) - span) / 2, (begin + Math.min(end, begin + span) + span) / 2);
      this.revealLane(this.model.lane[index]);
    }

    revealLane(lane) {
      const item = this.layout.items.find((one) => one.kind === "lane" && one.lane.index === lane);
      if (!item) return;
      const room = this.height - D.AXIS;
      if (item.y < this.scroll + D.HEADING) this.scrollTo(item.y - D.HEADING);
      else if (item.y + item.height > this.scroll + room) this.scrollTo(item.y + item.height - room);
    }

    toggle(group) {
      group.isClosed = !group.isClosed;
      this.resize();
      this.scrollTo(this.scroll);
    }

    // --- what is chosen ---------------------------------------------------------------------------

    choose(index, { isQuiet = false } = {}) {
      this.chosen = index;
      this.range = null;
      this.chosenLane = index < 0 ? -1 : this.model.lane[index];
      if (index >= 0) this.reveal(index);
      P.details(this);
      if (!isQuiet && index >= 0 && this.isSteps) {
        const step = Math.min(Math.floor(this.model.begin[index]), this.model.length - 1);
        this.goStep(step);
        this.options.onStep?.(step);
      }
      this.draw();
    }

    chooseRange(begin, end) {
      this.range = [Math.max(0, Math.min(begin, end)), Math.min(this.model.length, Math.max(begin, end))];
      this.chosen = -1;
      P.details(this);
      this.draw();
    }

    clear() {
      this.chosen = -1; this.chosenLane = -1; this.range = null; this.now = null;
      this.find("");
      this.parts.search.value = "";
      P.details(this);
      this.draw();
    }

    // Put the mark on a step of an interleaving; -1 is before the first, null takes it away.
    goStep(step) {
      this.now = step;
      if (step !== null && step >= 0 && (step < this.t0 || step + 1 > this.t1)) {
        const span = this.t1 - this.t0;
        this.show(step + 1 - span / 2, step + 1 + span / 2);
      }
      this.draw();
    }

    // The slice that is step number `step` of an interleaving.
    stepSlice(step) {
      for (const { index, kind } of this.model.lanes) {
        const row = kind === "task" && this.model.rows[index][0];
        if (!row) continue;
        const i = M.atLeast(row.begin, step, 0, row.count), slice = row.slices[i];
        if (i < row.count && row.begin[i] === step && (this.model.states[this.model.state[slice]] === "running" || this.model.flags[slice] & M.FLAG_OPEN)) return slice;
      }
      return -1;
    }

    neighbour(by) {
      if (this.options.onMove) return this.options.onMove(by);
      if (this.isSteps) {
        const step = (this.now ?? (by > 0 ? -1 : this.model.length)) + by;
        if (step >= 0 && step < this.model.length) { const slice = this.stepSlice(step); if (slice >= 0) this.choose(slice); else this.goStep(step); }
        return;
      }
      if (this.chosen < 0) return this.chooseFirst();
      const row = this.model.rows[this.model.lane[this.chosen]][this.model.depth[this.chosen]];
      const at = row.slices.indexOf(this.chosen) + by;
      if (at >= 0 && at < row.count) this.choose(row.slices[at]);
    }

    chooseFirst() {
      const lane = this.layout.items.find((item) => item.kind === "lane" && this.model.rows[item.lane.index].length);
      if (!lane) return;
      const row = this.model.rows[lane.lane.index][0], i = Math.min(M.firstAfter(row, Math.max(this.t0, 0)), row.count - 1);
      this.choose(row.slices[i]);
    }

    otherLane(by) {
      if (this.chosen < 0) return this.chooseFirst();
      const lanes = this.layout.items.filter((item) => item.kind === "lane").map((item) => item.lane.index);
      const moment = Math.max(this.model.begin[this.chosen], Math.min((this.t0 + this.t1) / 2, this.model.end[this.chosen]));
      for (let at = lanes.indexOf(this.model.lane[this.chosen]) + by; at >= 0 && at < lanes.length; at += by) {
        const row = this.model.rows[lanes[at]][0];
        if (!row) continue;
        return this.choose(row.slices[Math.min(M.firstAfter(row, moment), row.count - 1)], { isQuiet: this.isSteps });
      }
    }

    // --- search -----------------------------------------------------------------------------------

    find(text) {
      this.found = text ? M.search(this.model, text) : { slices: [], lanes: [] };
      this.found.hits = new Set(this.found.slices);
      this.found.position = -1;
      this.found.lanes = new Set(this.found.lanes);
      P.count(this);
      if (text && !this.found.slices.length && this.found.lanes.size) this.revealLane([...this.found.lanes][0]);
      this.drawOverview();
      this.draw();
    }

    nextHit(by) {
      const { slices } = this.found;
      if (!slices.length) return;
      this.found.position = (this.found.position + by + (this.found.position < 0 && by < 0 ? 1 : 0) + slices.length) % slices.length;
      this.choose(slices[this.found.position]);
      P.count(this);
    }

    // --- drawing ----------------------------------------------------------------------------------

    moment(x) { return this.t0 + ((x - this.gutter) / this.area) * (this.t1 - this.t0); }

    restyle() {
      this.colours = D.palette(this.root, this.model.states, this.model.arrowKinds);
      P.legend(this);
      this.drawOverview();
      this.draw();
    }

    resize() {
      const box = this.canvas.parentElement.getBoundingClientRect();
      if (!box.width) return; // not shown just now, as while the page is printed
      const isFirst = !this.width;
      this.width = Math.max(Math.floor(box.width), 120);
      this.layout = D.layout(this.model);
      if (this.options.isEmbedded) this.canvas.parentElement.style.height = `${Math.min(this.layout.height + D.AXIS + 2, Math.max(window.innerHeight * 0.7, 240))}px`;
      this.height = Math.max(Math.floor(this.canvas.parentElement.getBoundingClientRect().height), 80);
      if (!this.options.isEmbedded) this.layout = D.layout(this.model, this.height - D.AXIS);
      this.ratio = window.devicePixelRatio || 1;
      this.gutter = D.gutter(this.model, this.canvas.getContext("2d"), this.width);
      this.area = this.width - this.gutter;
      for (const canvas of [this.canvas, this.parts.overview]) {
        const height = canvas === this.canvas ? this.height : canvas.clientHeight;
        canvas.width = this.width * this.ratio; canvas.height = height * this.ratio;
      }
      this.canvas.style.width = `${this.width}px`; this.canvas.style.height = `${this.height}px`;
      this.colours?.tiles.clear();
      if (isFirst) this.home();
      this.drawOverview();
      this.scroll = Math.max(0, Math.min(this.scroll, this.layout.height - (this.height - D.AXIS)));
      this.paint();
    }

    draw() {
      if (this.frame || !this.width) return;
      this.frame = requestAnimationFrame(() => this.paint());
    }

    paint() {
      this.frame = 0;
      if (!this.colours) return;
      const begun = performance.now();
      const painter = new D.Painter(this.model, {
        context: this.canvas.getContext("2d"), ratio: this.ratio, colours: this.colours, width: this.width, height: this.height,
        gutter: this.gutter, top: D.AXIS, t0: this.t0, t1: this.t1, scroll: this.scroll, layout: this.layout, chosen: this.chosen,
        chosenLane: this.chosenLane, range: this.range, now: this.isSteps ? this.now : null, hits: this.found.hits, foundLanes: this.found.lanes instanceof Set ? this.found.lanes : new Set(),
      });
      this.painter = painter;
      this.stats = painter.all();
      this.stats.milliseconds = performance.now() - begun;
      P.hint(this);
      this.drawWindow();
    }

    drawOverview() {
      if (!this.width || !this.colours || !this.parts.overview.clientHeight) return;
      this.overviewImage = O.image(this);
      this.drawWindow();
    }

    drawWindow() {
      if (this.overviewImage) O.frame(this);
    }

    // --- mouse and fingers ------------------------------------------------------------------------

    listen() {
      const { canvas } = this, { overview } = this.parts;
      canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      canvas.addEventListener("pointerdown", (event) => this.down(event));
      canvas.addEventListener("pointermove", (event) => this.move(event));
      for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.up(event, name === "pointerup"));
      canvas.addEventListener("pointerleave", () => P.tip(this, null));
      canvas.addEventListener("dblclick", () => { if (this.chosen >= 0) this.fit(); });
      const jump = (event) => {
        if (!event.buttons) return;
        const middle = ((event.offsetX - this.gutter) / this.area) * this.model.length, half = (this.t1 - this.t0) / 2;
        this.show(middle - half, middle + half);
      };
      overview.addEventListener("pointerdown", (event) => { overview.setPointerCapture(event.pointerId); jump(event); });
      overview.addEventListener("pointermove", jump);
      new ResizeObserver(() => this.resize()).observe(this.canvas.parentElement);
      window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.restyle());
      const target = this.options.isEmbedded ? this.root : document;
      target.addEventListener("keydown", (event) => this.key(event));
      window.addEventListener("beforeprint", () => P.paper(this));
      window.addEventListener("afterprint", () => this.parts.paper.replaceChildren());
    }

    wheel(event) {
      const overflows = this.layout.height > this.height - D.AXIS + 1;
      const factor = event.deltaMode ? 20 : 1, dx = event.deltaX * factor, dy = event.deltaY * factor;
      const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
      if (isPlain && this.options.isEmbedded && Math.abs(dy) >= Math.abs(dx)) return;
      event.preventDefault();
      if (Math.abs(dx) > Math.abs(dy) || event.shiftKey) this.pan((dx || dy) / this.area);
      else if (isPlain && overflows) this.scrollTo(this.scroll + dy);
      else this.zoom(Math.exp(Math.max(-1, Math.min(1, dy * (event.ctrlKey ? 0.01 : 0.002)))), event.offsetX);
    }

    down(event) {
      this.canvas.focus({ preventScroll: true });
      this.canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
      const two = [...this.pointers.values()];
      this.pinch = two.length === 2 ? { gap: Math.abs(two[0].x - two[1].x), t0: this.t0, t1: this.t1, middle: (two[0].x + two[1].x) / 2 } : null;
      this.drag = { x: event.offsetX, y: event.offsetY, t0: this.t0, t1: this.t1, scroll: this.scroll, isSelection: event.shiftKey, isMoved: false };
    }

    move(event) {
      const known = this.pointers.get(event.pointerId);
      if (!known) return P.tip(this, event);
      [known.x, known.y] = [event.offsetX, event.offsetY];
      if (this.pinch && this.pointers.size === 2) return this.pinched();
      const { drag } = this, dx = event.offsetX - drag.x, dy = event.offsetY - drag.y;
      if (!drag.isMoved && Math.hypot(dx, dy) < CLICK) return;
      drag.isMoved = true;
      P.tip(this, null);
      if (drag.isSelection) return this.chooseRange(this.moment(drag.x), this.moment(event.offsetX));
      const by = (-dx / this.area) * (drag.t1 - drag.t0);
      this.show(drag.t0 + by, drag.t1 + by);
      this.scrollTo(drag.scroll - dy);
    }

    pinched() {
      const [one, two] = [...this.pointers.values()], { pinch } = this;
      const factor = Math.max(pinch.gap, 10) / Math.max(Math.abs(one.x - two.x), 10);
      const span = (pinch.t1 - pinch.t0) * factor, middle = (one.x + two.x) / 2;
      const fixed = pinch.t0 + ((pinch.middle - this.gutter) / this.area) * (pinch.t1 - pinch.t0), share = (middle - this.gutter) / this.area;
      this.drag.isMoved = true;
      this.show(fixed - share * span, fixed + (1 - share) * span);
    }

    up(event, isEnd) {
      this.pointers.delete(event.pointerId);
      if (isEnd && this.drag && !this.drag.isMoved && !this.pointers.size) this.click(event.offsetX, event.offsetY);
      if (!this.pointers.size) this.drag = this.pinch = null;
    }

    click(x, y) {
      const item = this.itemAt(y);
      if (item?.kind === "group") return this.toggle(item.group);
      if (item && x < this.gutter) { this.chosen = -1; this.range = null; this.chosenLane = item.lane.index; P.details(this); return this.draw(); }
      return this.choose(this.sliceAt(x, y));
    }

    itemAt(y) {
      if (y < D.AXIS) return null;
      if (y < D.AXIS + D.HEADING) { // the heading that sticks to the top hides what is below it
        const first = this.layout.items.find((item) => item.kind === "lane" && item.y + item.height > this.scroll);
        const heading = first && this.layout.items.find((item) => item.kind === "group" && item.group === first.group);
        if (heading && heading.y < this.scroll) return heading;
      }
      const inside = y - D.AXIS + this.scroll;
      return this.layout.items.find((item) => inside >= item.y && inside < item.y + item.height) ?? null;
    }

    // The slice at a point; of very narrow ones, the longest nearby.
    sliceAt(x, y) {
      const item = this.itemAt(y);
      if (item?.kind !== "lane" || x < this.gutter) return -1;
      let inside = y - D.AXIS + this.scroll - item.y - item.pad, depth = 0;
      while (depth < item.heights.length - 1 && inside > item.heights[depth]) { inside -= item.heights[depth] + 1; depth++; }
      for (; depth >= 0; depth--) {
        const row = this.model.rows[item.lane.index][depth];
        if (!row) continue;
        const from = M.firstAfter(row, this.moment(x - 2)), until = M.atLeast(row.begin, this.moment(x + 2), from, row.count), exact = this.moment(x);
        let best = -1;
        for (let i = from; i < Math.min(until, from + 500); i++) {
          if (row.begin[i] <= exact && row.end[i] > exact && row.end[i] - row.begin[i] > this.moment(x + 3) - exact) return row.slices[i];
          if (best < 0 || row.end[i] - row.begin[i] > row.end[best] - row.begin[best]) best = i;
        }
        if (best >= 0) return row.slices[best];
      }
      return -1;
    }

    // --- keys -------------------------------------------------------------------------------------

    key(event) {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
      if (isTyping) return this.searchKey(event);
      if (this.parts.help.open || (event.target instanceof HTMLButtonElement && (event.key === "Enter" || event.key === " "))) return;
      const actions = {
        w: () => this.zoom(0.7), s: () => this.zoom(1 / 0.7), a: () => this.pan(-0.15), d: () => this.pan(0.15),
        f: () => this.fit(), "0": () => { this.home(); this.draw(); }, Home: () => { this.home(); this.draw(); },
        ArrowLeft: () => this.neighbour(-1), ArrowRight: () => this.neighbour(1), ArrowUp: () => this.otherLane(-1), ArrowDown: () => this.otherLane(1),
        PageUp: () => this.scrollTo(this.scroll - this.height * 0.7), PageDown: () => this.scrollTo(this.scroll + this.height * 0.7),
        "/": () => { this.parts.search.focus(); this.parts.search.select(); }, n: () => this.nextHit(1), N: () => this.nextHit(-1),
        c: () => { const group = this.model.groups.find((one) => one.lanes.includes(this.chosenLane)); if (group) this.toggle(group); },
        C: () => { for (const group of this.model.groups) if (group.isClosed) this.toggle(group); },
        "?": () => this.parts.help.showModal(), Escape: () => this.clear(),
      };
      const letter = event.key.length === 1 && !["n", "N", "c", "C"].includes(event.key) ? event.key.toLowerCase() : event.key;
      const action = actions[letter];
      if (!action || (event.shiftKey && letter.startsWith("Arrow"))) return;
      event.preventDefault();
      if (this.options.isEmbedded) event.stopPropagation();
      action();
    }

    searchKey(event) {
      if (event.key === "Enter") { event.preventDefault(); this.nextHit(event.shiftKey ? -1 : 1); }
      if (event.key === "Escape") { this.parts.search.value = ""; this.find(""); this.canvas.focus(); }
      if (this.options.isEmbedded) event.stopPropagation();
    }
  }

  // Turn `root` into the timeline whose data stand in the script element it names.
  function mount(root, options) {
    const data = JSON.parse(document.getElementById(root.dataset.source).textContent);
    root.timeline = new View(root, data, options);
    return root.timeline;
  }

  return { mount };
})();
