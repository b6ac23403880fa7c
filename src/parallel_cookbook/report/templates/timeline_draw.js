"use strict";
// Paints a timeline on a canvas: what can be seen, and no more than a few rectangles a pixel column.
const TimelineDraw = (() => {
  const M = TimelineModel;
  const { pattern, fit, fitName, wrap, AXIS, HEADING, FONT, MONO, DASHES } = TimelineLayout;
  const MAX_ARROWS = 250;

  class Painter {
    // frame: {context, ratio, colours, width, height, gutter, top, t0, t1, scroll, layout, …marks}
    constructor(model, frame) {
      Object.assign(this, frame);
      this.model = model;
      this.span = Math.max(this.t1 - this.t0, 1e-9);
      this.area = this.width - this.gutter;
      this.stats = { rectangles: 0, arrows: 0, arrowsLeftOut: 0, lanes: 0, texts: 0 };
      this.context.direction = "ltr";
    }

    x(moment) { return this.gutter + ((moment - this.t0) / this.span) * this.area; }
    moment(x) { return this.t0 + ((x - this.gutter) / this.area) * this.span; }
    y(item) { return this.top + item.y - this.scroll; }

    all() {
      const c = this.context;
      c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
      c.fillStyle = this.colours.paper;
      c.fillRect(0, 0, this.width, this.height);
      this.clipped(0, this.top, this.width, this.height - this.top, () => {
        this.grid();
        this.lanes();
      });
      this.clipped(this.gutter, this.top, this.area, this.height - this.top, () => this.over());
      this.clipped(0, this.top, this.width, this.height - this.top, () => this.stickyHeading());
      this.axis();
      return this.stats;
    }

    clipped(x, y, width, height, paint) {
      const c = this.context;
      c.save(); c.beginPath(); c.rect(x, y, width, height); c.clip(); paint(); c.restore();
    }

    ticks() {
      if (this.model.unit === "step") {
        const step = Math.max(1, Math.ceil((this.span / this.area) * 44));
        const first = Math.max(0, Math.floor(this.t0 / step) * step);
        return { step, at: Array.from({ length: Math.ceil((this.t1 - first) / step) + 1 }, (_, i) => first + i * step) };
      }
      const rough = (this.span / this.area) * 110, power = 10 ** Math.floor(Math.log10(rough));
      const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
      const first = Math.ceil(this.t0 / step);
      return { step, at: Array.from({ length: Math.max(0, Math.floor(this.t1 / step) - first + 1) }, (_, i) => (first + i) * step) };
    }

    grid() {
      const c = this.context;
      c.strokeStyle = this.colours.line; c.globalAlpha = 0.45; c.lineWidth = 1; c.beginPath();
      for (const moment of this.ticks().at) {
        const x = Math.round(this.x(moment)) + 0.5;
        if (x > this.gutter) { c.moveTo(x, this.top); c.lineTo(x, this.height); }
      }
      c.stroke(); c.globalAlpha = 1;
    }

    axis() {
      const c = this.context, y = this.top - AXIS, { step, at } = this.ticks(), isSteps = this.model.unit === "step";
      c.fillStyle = this.colours.paper; c.fillRect(0, y, this.width, AXIS);
      c.fillStyle = this.colours.soft; c.font = `11px ${FONT}`; c.textBaseline = "middle"; c.textAlign = "left";
      c.fillText(fit(c, isSteps ? "step" : "time since the beginning", this.gutter - 16), 10, y + AXIS / 2);
      c.textAlign = "center";
      this.clipped(this.gutter, y, this.area, AXIS, () => {
        for (const moment of at) {
          if (isSteps && moment >= this.model.length) continue;
          const text = isSteps ? `${moment + 1}` : M.inWords(this.model, moment, step, at[at.length - 1]);
          const x = isSteps ? this.x(moment + 0.5) : Math.min(Math.max(this.x(moment), this.gutter + c.measureText(text).width / 2 + 3), this.width - c.measureText(text).width / 2 - 3);
          const isNow = isSteps && moment === this.now;
          c.font = `${isNow ? "bold " : ""}11px ${FONT}`; c.fillStyle = isNow ? this.colours.ink : this.colours.soft;
          c.fillText(text, x, y + AXIS / 2);
          if (!isSteps) c.fillRect(Math.round(this.x(moment)), y + AXIS - 5, 1, 5);
        }
      });
      c.fillStyle = this.colours.line; c.fillRect(0, y + AXIS - 1, this.width, 1);
      c.textAlign = "left";
    }

    visible() {
      return this.layout.items.filter((item) => this.y(item) < this.height && this.y(item) + item.height > this.top);
    }

    lanes() {
      for (const item of this.visible()) {
        if (item.kind === "group") { this.heading(item.group, this.y(item)); continue; }
        this.stats.lanes++;
        this.clipped(this.gutter, this.y(item), this.area, item.height, () => this.lane(item));
        this.name(item);
      }
    }

    stickyHeading() {
      const first = this.visible().find((item) => item.kind === "lane");
      const heading = first && this.layout.items.find((item) => item.kind === "group" && item.group === first.group);
      if (!heading || this.y(heading) >= this.top) return;
      const next = this.layout.items.find((item) => item.kind === "group" && item.y > first.y);
      this.heading(heading.group, Math.min(this.top, next ? this.y(next) - HEADING : this.top));
    }

    heading(group, y) {
      const c = this.context;
      c.fillStyle = this.colours.panel; c.fillRect(0, y, this.width, HEADING);
      c.fillStyle = this.colours.line; c.fillRect(0, y + HEADING - 1, this.width, 1);
      c.fillStyle = this.colours.ink; c.font = `600 12px ${FONT}`; c.textBaseline = "middle"; c.textAlign = "left";
      const name = fit(c, this.model.strings[group.name] || "Tasks", Math.max(this.width - 160, 60));
      c.fillText(`${group.isClosed ? "▸" : "▾"}  ${name}`, 10, y + HEADING / 2);
      if (!group.isClosed) return;
      const words = `${group.lanes.length} ${group.lanes.length === 1 ? "lane" : "lanes"}, closed`, left = 22 + c.measureText(`▾  ${name}`).width;
      this.summary(group, y);
      c.font = `11px ${FONT}`; c.fillStyle = this.colours.panel;
      c.fillRect(left - 3, y + 3, c.measureText(words).width + 8, HEADING - 7);
      c.fillStyle = this.colours.soft; c.fillText(words, left, y + HEADING / 2);
    }

    // How busy the lanes of a closed group are: how many of them run, or are held, of all.
    summary(group, y) {
      const c = this.context, width = 3, most = group.lanes.length * ((width / this.area) * this.span);
      const busy = new Set(["running", "work", "collect", "held"].map((name) => this.model.states.indexOf(name)));
      for (let x = this.gutter; x < this.width; x += width) {
        const sums = new Map();
        for (const lane of group.lanes) {
          const row = this.model.rows[lane][0];
          for (const [state, length] of row ? M.totals(row, this.moment(x), this.moment(x + width)) : []) if (busy.has(state)) sums.set(state, (sums.get(state) ?? 0) + length);
        }
        let bottom = y + HEADING - 2;
        for (const [state, length] of sums) {
          const tall = (length / most) * (HEADING - 5);
          c.fillStyle = this.colours.states[state]; c.fillRect(x, bottom - tall, width, tall);
          bottom -= tall;
          this.stats.rectangles++;
        }
      }
    }

    name(item) {
      const c = this.context, y = this.y(item), { lane } = item;
      c.fillStyle = this.colours.paper; c.fillRect(0, y, this.gutter - 1, item.height);
      c.fillStyle = this.colours.line; c.fillRect(this.gutter - 1, y, 1, item.height);
      c.globalAlpha = 0.5; c.fillRect(0, y + item.height - 1, this.width, 1); c.globalAlpha = 1;
      const isFound = this.foundLanes.has(lane.index), note = this.counterWords(item) || (lane.note === lane.name ? "" : this.model.strings[lane.note]);
      const hasRoom = note && item.height >= 38;
      const middle = y + Math.min(item.height, (item.heights[0] ?? item.counter) + 2 * item.pad) / 2 - (hasRoom ? 7 : 0);
      c.font = `${isFound || lane.index === this.chosenLane ? "700" : "500"} 12px ${FONT}`; c.textBaseline = "middle"; c.textAlign = "left";
      c.fillStyle = this.colours.ink;
      const text = fit(c, this.model.strings[lane.name], this.gutter - 34);
      if (isFound) { const width = c.measureText(text).width; c.fillStyle = this.colours.hit; c.fillRect(20, middle - 9, width + 6, 18); c.fillStyle = this.colours.ink; }
      c.fillText(text, 23, middle);
      if (hasRoom) { c.font = `11px ${FONT}`; c.fillStyle = this.colours.soft; c.fillText(fit(c, note, this.gutter - 34), 23, middle + 15); }
    }

    lane(item) {
      let y = this.y(item) + item.pad;
      this.model.rows[item.lane.index].forEach((row, depth) => { this.row(row, y, item.heights[depth], item.lane); y += item.heights[depth] + 1; });
      for (const counter of item.counters) { this.counter(counter, y, item.counter - 4); y += item.counter; }
    }

    // Wide slices one by one; of the narrow ones in a pixel column, the state that fills most of it.
    row(row, y, height, lane) {
      let i = M.firstAfter(row, this.t0), state = -1, from = 0, until = 0;
      const flush = () => { if (state >= 0) this.block(state, from, until - from, y, height); state = -1; };
      while (i < row.count && row.begin[i] < this.t1) {
        const left = this.x(row.begin[i]), right = this.x(row.end[i]);
        if (right - left >= 1) { flush(); this.slice(row.slices[i], left, right, y, height, lane); i++; continue; }
        const pixel = Math.floor(Math.max(left, this.gutter));
        let j = M.atLeast(row.begin, this.moment(pixel + 1), i, row.count);
        j = Math.max(j, i + 1);
        if (j - 1 > i && this.x(row.end[j - 1]) - this.x(row.begin[j - 1]) >= 1) j--;
        const most = M.dominant(row, i, j);
        if (most !== state || pixel > until) { flush(); state = most; from = pixel; }
        until = pixel + 1;
        i = j;
      }
      flush();
    }

    block(state, x, width, y, height) {
      const c = this.context;
      c.fillStyle = this.colours.states[state]; c.fillRect(x, y, width, height);
      if (width >= 5 && this.colours.patterns[state]) { c.fillStyle = pattern(c, this.colours, this.colours.patterns[state], this.ratio); c.fillRect(x, y, width, height); }
      this.stats.rectangles++;
    }

    slice(index, left, right, y, height, lane) {
      const c = this.context, { model } = this, state = model.state[index];
      const x0 = Math.max(left, this.gutter - 4), x1 = Math.min(right, this.width + 4), width = Math.max(x1 - x0 - (right - left > 4 ? 1 : 0), 1);
      // Between its own steps, what a task of an interleaving does is told more quietly.
      const isBetween = model.unit === "step" && lane.kind === "task" && model.place[index] < 0 && model.states[state] !== "running";
      const tall = !isBetween ? height : model.states[state] === "ready" ? 8 : Math.min(height, 26), top = y + (height - tall) / 2;
      if (model.unit === "step" && this.now !== null && model.begin[index] > this.now) c.globalAlpha = 0.35;
      this.block(state, x0, width, top, tall);
      if (this.colours.isDashed && width > 3) { c.strokeStyle = this.colours.ink; c.lineWidth = 0.7; c.strokeRect(x0, top, width, tall); }
      if (tall > 8 && width > 22) this.text(index, x0, width, top, tall, lane, isBetween);
      if (model.flags[index] & M.FLAG_OPEN && right < this.width + 4) {
        // It never ended: its right edge is torn.
        c.fillStyle = this.colours.paper; c.beginPath(); c.moveTo(x0 + width, y);
        for (let k = 0; k <= 6; k++) c.lineTo(x0 + width - (k % 2 ? 5 : 0), y + (height * k) / 6);
        c.fill();
      }
      if (model.flags[index] & M.FLAG_FAILURE) { c.strokeStyle = this.colours.failure; c.lineWidth = 3; c.strokeRect(x0 + 1.5, top + 1.5, Math.max(width - 3, 1), tall - 3); }
      if (model.flags[index] & M.FLAG_PREEMPTED) this.preempted(right, y, height);
      c.globalAlpha = 1;
      if (this.hits.has(index)) { c.strokeStyle = this.colours.hit; c.lineWidth = 3; c.strokeRect(x0 + 1.5, y + 1.5, Math.max(width - 3, 1), height - 3); }
    }

    preempted(x, y, height) {
      const c = this.context;
      c.fillStyle = this.colours.ink; c.font = `700 13px ${FONT}`; c.textAlign = "center"; c.textBaseline = "middle";
      c.beginPath(); c.arc(x, y + height - 6, 9, 0, 7); c.fillStyle = this.colours.paper; c.fill();
      c.strokeStyle = this.colours.ink; c.lineWidth = 1; c.stroke();
      c.fillStyle = this.colours.ink; c.fillText("⇄", x, y + height - 5.5); c.textAlign = "left";
    }

    text(index, x, width, y, height, lane, isBetween) {
      const c = this.context, { model } = this, state = model.state[index], isCode = model.unit === "step" && lane.kind === "task" && !isBetween;
      const left = Math.max(x, this.gutter) + 5, room = x + width - left - 4;
      if (room < 14) return;
      c.textBaseline = "middle"; c.textAlign = "left";
      c.font = isCode ? `600 11.5px ${MONO}` : `11.5px ${FONT}`;
      const label = model.strings[model.label[index]];
      const isName = model.states[state] === "held", detail = model.strings[model.detail[index]];
      const most = isCode ? 4 : height < 34 ? 1 : 2, first = isName ? [fitName(c, label, room)] : most > 1 ? wrap(c, label, room, 2, isCode) : [fit(c, label, room)];
      const lines = first.map((text) => [text, c.font]);
      if (detail && !isName && lines.length && lines.length < most && !lines[0][0].endsWith("…")) {
        c.font = isCode ? `11.5px ${FONT}` : `11px ${FONT}`;
        lines.push(...wrap(c, detail, room, most - lines.length).map((text) => [text, c.font]));
      }
      const step = 14, top = y + height / 2 - ((lines.length - 1) * step) / 2;
      lines.forEach(([text, font], k) => {
        if (!text) return;
        c.font = font;
        if (this.colours.patterns[state]) { // a patch of plain colour, so that the hatching does not run through the words
          const size = c.measureText(text).width;
          c.fillStyle = this.colours.states[state];
          c.fillRect(left - 2, top + k * step - 7, size + 4, 14);
        }
        c.fillStyle = this.colours.texts[state];
        c.fillText(text, left, top + k * step + 0.5);
        this.stats.texts++;
      });
    }

    // A number over time, as steps; in a pixel column its least and its greatest value.
    counter(counter, y, height) {
      const c = this.context, scale = (value) => y + height - 2 - (Math.max(value, 0) / counter.top) * (height - 6);
      const { at, value } = counter;
      let i = Math.max(0, M.atLeast(at, this.t0, 0, at.length) - 1);
      if (!at.length) return;
      c.beginPath(); c.moveTo(Math.max(this.x(at[i]), this.gutter), y + height - 2);
      let last = value[i], x = Math.max(this.x(at[i]), this.gutter - 1);
      c.lineTo(x, scale(last));
      while (++i < at.length && at[i] < this.t1) {
        const pixel = this.x(at[i]);
        let low = value[i], high = value[i];
        while (i + 1 < at.length && this.x(at[i + 1]) < pixel + 1) { i++; low = Math.min(low, value[i]); high = Math.max(high, value[i]); }
        c.lineTo(pixel, scale(last));
        if (low !== high) { c.lineTo(pixel, scale(low)); c.lineTo(pixel, scale(high)); }
        c.lineTo(pixel, scale(value[i]));
        last = value[i];
        this.stats.rectangles++;
      }
      const right = Math.min(this.x(this.model.length), this.width + 2);
      c.lineTo(right, scale(last)); c.lineTo(right, y + height - 2); c.closePath();
      c.fillStyle = this.colours.overview; c.globalAlpha = 0.3; c.fill(); c.globalAlpha = 1;
      c.strokeStyle = this.colours.overview; c.lineWidth = 1.3; c.stroke();
      if (counter.limit) {
        c.strokeStyle = this.colours.soft; c.setLineDash([4, 3]); c.lineWidth = 1; c.beginPath();
        c.moveTo(this.gutter, scale(counter.limit)); c.lineTo(this.width, scale(counter.limit)); c.stroke(); c.setLineDash([]);
      }
    }

    // "length, up to 3 of 3": stands below the lane's name.
    counterWords({ counters }) {
      return counters.map((one) => `${this.model.strings[one.name]}, up to ${one.most}${one.limit ? ` of ${one.limit}` : ""}`).join("; ");
    }

    over() {
      const c = this.context;
      if (this.now !== null) {
        const left = this.x(this.now), right = this.x(this.now + 1);
        c.strokeStyle = this.colours.ink; c.lineWidth = 1.5; c.strokeRect(left + 0.5, this.top + 1, right - left - 1, Math.max(this.height - this.top - 2, 0));
      }
      this.arrowLines();
      this.chosenFrame();
      if (this.range) {
        const [left, right] = this.range.map((moment) => this.x(moment));
        c.fillStyle = this.colours.overview; c.globalAlpha = 0.16; c.fillRect(left, this.top, right - left, this.height - this.top); c.globalAlpha = 1;
        c.fillRect(left, this.top, 1, this.height); c.fillRect(right, this.top, 1, this.height);
      }
    }

    chosenFrame() {
      const index = this.chosen;
      if (index < 0) return;
      const box = this.box(index);
      if (!box) return;
      const c = this.context;
      c.strokeStyle = this.colours.ink; c.lineWidth = 2;
      c.strokeRect(box.x - 1, box.y - 1, Math.max(box.width, 2) + 2, box.height + 2);
    }

    // Where a slice stands on the canvas, or null if its group is closed.
    box(index) {
      const item = this.layout.of.get(this.model.lane[index]);
      if (!item) return null;
      let y = this.y(item) + item.pad;
      for (let depth = 0; depth < this.model.depth[index]; depth++) y += item.heights[depth] + 1;
      const x = this.x(this.model.begin[index]);
      return { x, y, width: this.x(this.model.end[index]) - x, height: item.heights[this.model.depth[index]] };
    }

    // All arrows in view; if they are too many to tell apart, only those of the chosen slice.
    arrowLines() {
      const { arrows } = this.model, seen = new Set(), mine = [], others = [];
      let count = 0;
      for (let block = 0; block < arrows.latest.length; block++) {
        if (arrows.latest[block] < this.t0) continue;
        if (arrows.begin[block << 8] > this.t1) break;
        for (let i = block << 8; i < Math.min((block + 1) << 8, arrows.count); i++) {
          if (arrows.end[i] < this.t0 || arrows.begin[i] > this.t1) continue;
          if (this.touches(i)) { mine.push(i); continue; }
          const key = `${Math.round(this.x(arrows.begin[i]) / 6)} ${arrows.from[i]} ${arrows.to[i]} ${arrows.kind[i]}`;
          count++;
          if (others.length <= MAX_ARROWS && !seen.has(key)) { seen.add(key); others.push(i); } // the same to the eye: once
        }
      }
      if (others.length > MAX_ARROWS) this.stats.arrowsLeftOut = count;
      else for (const i of others) this.arrow(i, false);
      for (const i of mine.slice(0, MAX_ARROWS)) this.arrow(i, true);
    }

    // Whether an arrow leaves or reaches the chosen slice.
    touches(i) {
      const { arrows, begin, end, lane } = this.model, one = this.chosen;
      if (one < 0) return false;
      const inside = (of, at) => of === lane[one] && at >= begin[one] && at <= end[one];
      return inside(arrows.from[i], arrows.begin[i]) || inside(arrows.to[i], arrows.end[i]);
    }

    edge(lane, isBelow) {
      const item = this.layout.of.get(lane);
      if (!item) return this.top + this.layout.tops[lane] - this.scroll + HEADING / 2;
      const y = this.y(item) + item.pad, height = item.heights[0] ?? item.counter - 4;
      return isBelow ? y + height - 1 : y + 1;
    }

    arrow(i, isMine) {
      const c = this.context, { arrows } = this.model, kind = arrows.kind[i];
      const isDown = this.layout.tops[arrows.to[i]] > this.layout.tops[arrows.from[i]];
      const x0 = this.x(arrows.begin[i]), x1 = this.x(arrows.end[i]);
      const y0 = this.edge(arrows.from[i], isDown), y1 = this.edge(arrows.to[i], !isDown);
      const isHidden = this.layout.tops[arrows.to[i]] === this.layout.tops[arrows.from[i]] && arrows.to[i] !== arrows.from[i]; // both in a closed group
      if (isHidden || Math.max(y0, y1) < this.top || Math.min(y0, y1) > this.height) return;
      const bend = Math.min(Math.max(Math.abs(y1 - y0) * 0.45, 14), 70) * (isDown ? 1 : -1), tip = isDown ? -6 : 6;
      c.strokeStyle = c.fillStyle = this.colours.arrows[kind];
      c.lineWidth = isMine ? 2.6 : 1.4; c.globalAlpha = isMine ? 1 : 0.85;
      if (this.now !== null && arrows.begin[i] > this.now + 1) c.globalAlpha = 0.25;
      c.setLineDash(DASHES[this.model.arrowKinds[kind]] ?? []);
      c.beginPath(); c.moveTo(x0, y0); c.bezierCurveTo(x0, y0 + bend, x1, y1 - bend, x1, y1 + tip); c.stroke();
      c.setLineDash([]);
      c.beginPath(); c.moveTo(x1, y1); c.lineTo(x1 - 4, y1 + tip * 1.2); c.lineTo(x1 + 4, y1 + tip * 1.2); c.fill();
      c.beginPath(); c.arc(x0, y0, 2.2, 0, 7); c.fill();
      c.globalAlpha = 1;
      this.stats.arrows++;
    }
  }

  return { Painter };
})();
