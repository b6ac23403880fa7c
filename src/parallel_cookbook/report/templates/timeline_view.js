"use strict";
// One timeline in a page: what part of it is shown, and what is chosen.
const TimelineView = (() => {
  const M = TimelineModel, D = TimelineLayout, O = TimelineOverview, P = TimelinePanel;
  const FEWEST_PIXELS_A_STEP = 96;

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
      this.input = new TimelineInput(this);
      this.restyle();
      this.resize();
    }

    get isSteps() { return this.model.unit === "step"; }
    get least() { return this.isSteps ? 1 : Math.min(20, this.model.length); }

    // --- what is shown ----------------------------------------------------------------------------

    home() {
      const { length, first } = this.model, margin = (length - first) * 0.005;
      this.t0 = this.isSteps ? 0 : first - margin;
      this.t1 = this.isSteps ? length : length + margin || 1;
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
      const item = this.layout.of.get(lane);
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
      P.details(this);
      if (index >= 0) {
        this.resize(); // the details may have taken room from the lanes
        this.reveal(index);
      }
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
      this.parts.search.value = "";
      this.find("");
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
      const painter = new TimelineDraw.Painter(this.model, {
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
  }

  // Turn `root` into the timeline whose data stand in the script element it names.
  function mount(root, options) {
    const data = JSON.parse(document.getElementById(root.dataset.source).textContent);
    root.timeline = new View(root, data, options);
    return root.timeline;
  }

  return { mount };
})();
