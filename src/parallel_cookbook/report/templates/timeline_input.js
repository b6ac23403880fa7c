"use strict";
// What mouse, fingers and keys do to a timeline.
const TimelineInput = (() => {
  const M = TimelineModel, D = TimelineLayout, P = TimelinePanel;
  const CLICK = 4;

  class Input {
    constructor(view) {
      this.view = view;
      this.pointers = new Map();
      this.listen();
    }

    // --- mouse and fingers ------------------------------------------------------------------------

    listen() {
      const { view } = this, { canvas } = view, { overview } = view.parts;
      canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      canvas.addEventListener("pointerdown", (event) => this.down(event));
      canvas.addEventListener("pointermove", (event) => this.move(event));
      for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.up(event, name === "pointerup"));
      canvas.addEventListener("pointerleave", () => P.tip(this.view, null));
      canvas.addEventListener("dblclick", () => { if (this.view.chosen >= 0) this.view.fit(); });
      const jump = (event) => {
        if (!event.buttons) return;
        const middle = ((event.offsetX - this.view.gutter) / this.view.area) * (this.view.model.length - this.view.model.first) + this.view.model.first, half = (this.view.t1 - this.view.t0) / 2;
        this.view.show(middle - half, middle + half);
      };
      overview.addEventListener("pointerdown", (event) => { overview.setPointerCapture(event.pointerId); jump(event); });
      overview.addEventListener("pointermove", jump);
      new ResizeObserver(() => this.view.resize()).observe(this.view.canvas.parentElement);
      window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.view.restyle());
      const target = this.view.options.isEmbedded ? this.view.root : document;
      target.addEventListener("keydown", (event) => this.key(event));
      window.addEventListener("beforeprint", () => P.paper(this.view));
      window.addEventListener("afterprint", () => this.view.parts.paper.replaceChildren());
    }

    wheel(event) {
      const overflows = this.view.layout.height > this.view.height - D.AXIS + 1;
      const factor = event.deltaMode ? 20 : 1, dx = event.deltaX * factor, dy = event.deltaY * factor;
      const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
      if (isPlain && this.view.options.isEmbedded && Math.abs(dy) >= Math.abs(dx)) return;
      event.preventDefault();
      if (Math.abs(dx) > Math.abs(dy) || event.shiftKey) this.view.pan((dx || dy) / this.view.area);
      else if (isPlain && overflows) this.view.scrollTo(this.view.scroll + dy);
      else this.view.zoom(Math.exp(Math.max(-1, Math.min(1, dy * (event.ctrlKey ? 0.01 : 0.002)))), event.offsetX);
    }

    down(event) {
      this.view.canvas.focus({ preventScroll: true });
      this.view.canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
      const two = [...this.pointers.values()];
      this.pinch = two.length === 2 ? { gap: Math.abs(two[0].x - two[1].x), t0: this.view.t0, t1: this.view.t1, middle: (two[0].x + two[1].x) / 2 } : null;
      this.drag = { x: event.offsetX, y: event.offsetY, t0: this.view.t0, t1: this.view.t1, scroll: this.view.scroll, isSelection: event.shiftKey, isMoved: false };
    }

    move(event) {
      const known = this.pointers.get(event.pointerId);
      if (!known) return P.tip(this.view, event);
      [known.x, known.y] = [event.offsetX, event.offsetY];
      if (this.pinch && this.pointers.size === 2) return this.pinched();
      const { drag } = this, dx = event.offsetX - drag.x, dy = event.offsetY - drag.y;
      if (!drag.isMoved && Math.hypot(dx, dy) < CLICK) return;
      drag.isMoved = true;
      P.tip(this.view, null);
      if (drag.isSelection) return this.view.chooseRange(this.view.moment(drag.x), this.view.moment(event.offsetX));
      const by = (-dx / this.view.area) * (drag.t1 - drag.t0);
      this.view.show(drag.t0 + by, drag.t1 + by);
      this.view.scrollTo(drag.scroll - dy);
    }

    pinched() {
      const [one, two] = [...this.pointers.values()], { pinch } = this;
      const factor = Math.max(pinch.gap, 10) / Math.max(Math.abs(one.x - two.x), 10);
      const span = (pinch.t1 - pinch.t0) * factor, middle = (one.x + two.x) / 2;
      const fixed = pinch.t0 + ((pinch.middle - this.view.gutter) / this.view.area) * (pinch.t1 - pinch.t0), share = (middle - this.view.gutter) / this.view.area;
      this.drag.isMoved = true;
      this.view.show(fixed - share * span, fixed + (1 - share) * span);
    }

    up(event, isEnd) {
      this.pointers.delete(event.pointerId);
      if (isEnd && this.drag && !this.drag.isMoved && !this.pointers.size) this.click(event.offsetX, event.offsetY);
      if (!this.pointers.size) this.drag = this.pinch = null;
    }

    click(x, y) {
      const item = this.itemAt(y);
      if (item?.kind === "group") return this.view.toggle(item.group);
      if (item && x < this.view.gutter) { this.view.chosen = -1; this.view.range = null; this.view.chosenLane = item.lane.index; P.details(this.view); return this.view.draw(); }
      return this.view.choose(this.sliceAt(x, y));
    }

    itemAt(y) {
      if (y < D.AXIS) return null;
      if (y < D.AXIS + D.HEADING) { // the heading that sticks to the top hides what is below it
        const first = this.view.layout.items.find((item) => item.kind === "lane" && item.y + item.height > this.view.scroll);
        const heading = first && this.view.layout.items.find((item) => item.kind === "group" && item.group === first.group);
        if (heading && heading.y < this.view.scroll) return heading;
      }
      const inside = y - D.AXIS + this.view.scroll;
      return this.view.layout.items.find((item) => inside >= item.y && inside < item.y + item.height) ?? null;
    }

    // The slice at a point; of very narrow ones, the longest nearby.
    sliceAt(x, y) {
      const item = this.itemAt(y);
      if (item?.kind !== "lane" || x < this.view.gutter) return -1;
      let inside = y - D.AXIS + this.view.scroll - item.y - item.pad, depth = 0;
      while (depth < item.heights.length - 1 && inside > item.heights[depth]) { inside -= item.heights[depth] + 1; depth++; }
      for (; depth >= 0; depth--) {
        const row = this.view.model.rows[item.lane.index][depth];
        if (!row) continue;
        const from = M.firstAfter(row, this.view.moment(x - 2)), until = M.atLeast(row.begin, this.view.moment(x + 2), from, row.count), exact = this.view.moment(x);
        let best = -1;
        for (let i = from; i < Math.min(until, from + 500); i++) {
          if (row.begin[i] <= exact && row.end[i] > exact && row.end[i] - row.begin[i] > this.view.moment(x + 3) - exact) return row.slices[i];
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
      if (this.view.parts.help.open || (event.target instanceof HTMLButtonElement && (event.key === "Enter" || event.key === " "))) return;
      const actions = {
        w: () => this.view.zoom(0.7), s: () => this.view.zoom(1 / 0.7), a: () => this.view.pan(-0.15), d: () => this.view.pan(0.15),
        f: () => this.view.fit(), "0": () => { this.view.home(); this.view.draw(); }, Home: () => { this.view.home(); this.view.draw(); },
        ArrowLeft: () => this.view.neighbour(-1), ArrowRight: () => this.view.neighbour(1), ArrowUp: () => this.view.otherLane(-1), ArrowDown: () => this.view.otherLane(1),
        PageUp: () => this.view.scrollTo(this.view.scroll - this.view.height * 0.7), PageDown: () => this.view.scrollTo(this.view.scroll + this.view.height * 0.7),
        "/": () => { this.view.parts.search.focus(); this.view.parts.search.select(); }, n: () => this.view.nextHit(1), N: () => this.view.nextHit(-1),
        c: () => { const group = this.view.model.groups.find((one) => one.lanes.includes(this.view.chosenLane)); if (group) this.view.toggle(group); },
        C: () => { for (const group of this.view.model.groups) if (group.isClosed) this.view.toggle(group); },
        "?": () => this.view.parts.help.showModal(), Escape: () => this.view.clear(),
      };
      const letter = event.key.length === 1 && !["n", "N", "c", "C"].includes(event.key) ? event.key.toLowerCase() : event.key;
      const action = actions[letter];
      if (!action || (event.shiftKey && letter.startsWith("Arrow"))) return;
      event.preventDefault();
      if (this.view.options.isEmbedded) event.stopPropagation();
      action();
    }

    searchKey(event) {
      if (event.key === "Enter") { event.preventDefault(); this.view.nextHit(event.shiftKey ? -1 : 1); }
      if (event.key === "Escape") { this.view.parts.search.value = ""; this.view.find(""); this.view.canvas.focus(); }
      if (this.view.options.isEmbedded) event.stopPropagation();
    }
  }

  return Input;
})();
